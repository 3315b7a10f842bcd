import json

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import format_amount, format_date, format_datetime, html2plaintext

HIDDEN = {"order_id", "extra_tax_data", "company_id"}


class SaleOrder(models.Model):
    """A pending request follows the quotation, and the approver sees what has changed.

    A change that worsens nothing that a rule looks at keeps the steps that are given. Anything else restarts from the
    first level whose rule it touches. What counts is what each step saw: two changes together are one.
    """

    _inherit = "sale.order"

    requested_content = fields.Json(readonly=True, copy=False, prefetch="approval_content")
    decided_content = fields.Json(readonly=True, copy=False, prefetch="approval_content")
    approval_changes = fields.Html("Changes", compute="_compute_approval_changes", compute_sudo=True, sanitize=False)

    @api.model
    def _get_system_fields(self):
        return super()._get_system_fields() | {"requested_content", "decided_content"}

    # ------------------------------------------------------------
    # Following
    # ------------------------------------------------------------

    def _follow_approval_request(self, change):
        """Let pending requests ask for what the quotations are now; see the class."""
        for order in self.filtered(lambda order: order.approval_progress == "requested"):
            if not order._is_approval_pending():
                order._end_request("lapsed")
            elif order._get_changed_content(change) or order._is_seen_otherwise():
                order._follow_change()

    def _is_seen_otherwise(self):
        """Return whether something that a rule looks at differs, though it is no content: a team, an order source."""
        flow, steps = self._get_flow_in_force(), self._get_live_steps()
        now, needed = self._get_seen(flow), {terms.rule_id for terms in self._filter_terms(flow)}
        is_other = any(step.seen[path] != now.get(path, step.seen[path]) for step in steps for path in step.seen)
        return is_other or (needed or {0}) != {step._get_terms().rule_id for step in steps}

    def _follow_change(self):
        needed = self._filter_terms(self._get_flow_in_force())
        if not needed and not self._requires_approval():
            self._end_request("lapsed")
            self._write_derived({"approval_requested_by_id": False})
            self._log_step(self.env._("The approval request has ended: the quotation was changed"))
            return
        needed = needed or [self.env["sale.approval.rule"]._get_default_terms()]
        self._drop_steps_not_needed(needed)
        level = self._get_touched_level(needed)
        if level is not None:
            self._restart_from(level, needed)
        self._refresh_asked()
        self._advance()

    def _drop_steps_not_needed(self, needed):
        """End the steps of rules that the quotation does not match any more, as far as they are not given."""
        rule_ids = {terms.rule_id for terms in needed}
        self._get_live_steps("waiting", "requested").filtered(
            lambda step: step._get_terms().rule_id not in rule_ids
        )._set_state("lapsed")

    def _get_touched_level(self, needed):
        """Return the first level that has to be asked again, None where what is given stays."""
        steps, flow = self._get_live_steps(), [step._get_terms() for step in self._get_live_steps()]
        now = self._get_seen(flow)
        rule_ids = {terms.rule_id for terms in needed}
        touched = [
            step.level
            for step, terms in zip(steps, flow, strict=True)
            if terms.rule_id in rule_ids and step.state != "waiting" and terms.is_worse(step.seen, now)
        ]
        known = {terms.rule_id for terms in flow}
        touched += [terms.level for terms in needed if terms.rule_id not in known]
        return min(touched, default=None)

    def _restart_from(self, level, needed):
        """Ask again from a level on. Steps of that level which are being asked go on; later ones wait again."""
        steps = self._get_live_steps()
        kept = steps.filtered(lambda step: step.level < level or step.state == "waiting")
        kept |= steps.filtered(lambda step: step.level == level and step.state == "requested")
        lapsed = steps - kept
        if lapsed.filtered(lambda step: step.state == "approved"):
            self._log_step(self.env._("Approval restarts from level %s: the quotation was changed", level))
        lapsed._set_state("lapsed")
        waiting = {(step.level, step._get_terms().rule_id) for step in kept}
        self._create_steps(
            [terms for terms in needed if (terms.level, terms.rule_id) not in waiting and terms.level >= level]
        )
        if kept.filtered(lambda step: step.state == "requested"):
            for step in self._get_live_steps("waiting").filtered(lambda step: step.level == level):
                self._ask_step(step)

    def _refresh_asked(self):
        """Let the steps that are asked show the quotation as it is, and nobody be asked who works on it now."""
        barred = self._get_barred_users()
        for step in self._get_live_steps("requested"):
            step._write_step(self._prepare_seen(step._get_terms()))
            if gone := step.approver_ids & barred:
                deputies = step.escalated_ids & gone.approval_deputy_id
                step._write_step(
                    {
                        "approver_ids": [Command.unlink(id_) for id_ in (gone | deputies).ids],
                        "escalated_ids": [Command.unlink(id_) for id_ in deputies.ids],
                    }
                )

    # ------------------------------------------------------------
    # What has changed
    # ------------------------------------------------------------

    def _remember_request(self):
        """Keep the content as it is requested, to show what changes."""
        self._write_derived({"requested_content": self._describe_whole_content(), "decided_content": False})

    def _remember_decision(self):
        """Keep the content as it was approved last."""
        self._write_derived({"decided_content": self._describe_whole_content()})

    def _describe_whole_content(self):
        """Return the content as JSON: ``{key: [line, field, value to compare, text]}``."""
        return {
            f"{record._name},{record.id},{name}": [
                (record.name or "").partition("\n")[0] if record != self else "",
                name,
                json.dumps(value, default=str),
                self._describe_value(record, name),
            ]
            for (record, name), value in self._get_content().items()
        }

    def _describe_value(self, record, name):
        """Return the value of a field as people read it."""
        field, value = record._fields[name], record[name]
        if field.relational:
            return ", ".join(value.mapped("display_name"))
        if name == "price_unit":
            return format_amount(self.env, value, self.currency_id)
        if field.type == "html":
            return html2plaintext(value or "")
        if field.type == "boolean":
            return self.env._("Yes") if value else self.env._("No")
        if field.type == "float":
            return f"{value:g}"
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, "")
        if field.type == "date":
            return format_date(self.env, value)
        return format_datetime(self.env, value) if field.type == "datetime" and value else str(value or "")

    def _get_changes_since(self, before):
        """Return what differs from content that was kept: ``[(line, label of the field, old, new)]``."""
        after, changes = self._describe_whole_content(), []
        for key in dict.fromkeys([*before, *after]):
            was, now = before.get(key), after.get(key)
            line, name = (now or was)[:2]
            if name in HIDDEN or (was and now and was[2] == now[2]):
                continue
            model = key.partition(",")[0]
            label = self.env[model]._fields[name]._description_string(self.env)
            changes.append((line, label, was[3] if was else "", now[3] if now else ""))
        return [change for change in changes if change[2] != change[3]]

    @api.depends("approval_progress", "requested_content", "decided_content", "amount_total", "order_line")
    def _compute_approval_changes(self):
        for order in self:
            if order.approval_progress != "requested" or not order.requested_content:
                order.approval_changes = False
                continue
            since = [(order.env._("Changed since the request"), order.requested_content)]
            if order.decided_content:
                since.append((order.env._("Changed since the last approval"), order.decided_content))
            tables = [order._render_changes(title, order._get_changes_since(before)) for title, before in since]
            order.approval_changes = Markup("").join(tables) or False

    def _render_changes(self, title, changes):
        """Return a table of changes, nothing where there is none."""
        if not changes:
            return Markup("")
        headings = (self.env._("Line"), self.env._("Field"), self.env._("Old"), self.env._("New"))
        head = Markup("").join(Markup("<th>%s</th>") % heading for heading in headings)
        cells = (Markup("").join(Markup("<td>%s</td>") % cell for cell in change) for change in changes)
        rows = Markup("").join(Markup("<tr>%s</tr>") % row for row in cells)
        return Markup(
            "<h5>%s</h5><div class='table-responsive'><table class='table table-sm o_approval_changes'>"
            "<thead><tr>%s</tr></thead><tbody>%s</tbody></table></div>"
        ) % (title, head, rows)
