import logging

_logger = logging.getLogger(__name__)


def uninstall_hook(env):
    """Conditions of stages that look at contracts go along with the fields that they look at: left behind, they would
    stop every opportunity in their stage."""
    rules = env["crm.stage.rule"].search([("kind", "=", "condition"), ("domain", "like", "contract_ids")])
    for rule in rules:
        _logger.warning(
            "Condition '%s' of stage '%s' looked at contracts and is removed", rule.name, rule.stage_id.name
        )
    rules.unlink()
