from odoo import api, models

SETTINGS = {"quotation_approval", "quotation_approval_min_amount"}


class ResCompany(models.Model):
    """The simple setting of a company, *required from an amount*, is the first rule of its flow."""

    _inherit = "res.company"

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._sync_approval_rule()
        return companies

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & SETTINGS:
            self._sync_approval_rule()
        return result

    def _sync_approval_rule(self):
        """Let the rule of each company that is made from the settings say what the settings say now."""
        # sudo: whoever may write the settings decides; the rule follows
        Rule = self.env["sale.approval.rule"].sudo().with_context(active_test=False)
        for company in self.sudo():
            rule = Rule.search([("company_id", "=", company.id), ("from_settings", "=", True)])
            is_required = company.quotation_approval == "required"
            values = {"active": is_required, "min_amount": company.quotation_approval_min_amount}
            if rule:
                changed = {name: value for name, value in values.items() if rule[name] != value}
                if changed:
                    rule.write(changed)
            elif is_required:
                rule = Rule.create(company._prepare_approval_rule() | values)
                rule._write_derived({"from_settings": True})

    def _prepare_approval_rule(self):
        """Return the values of the rule that is made from the settings: any quotation approver, on the first level."""
        return {
            "name": self.env._("Quotation Approval"),
            "company_id": self.id,
            "sequence": 0,
            "approver_type": "group",
            "approver_group_id": self.env.ref("sales_opportunity_stages.group_quotation_approver").id,
        }
