from odoo import api, models


class CrmLead(models.Model):
    """What hangs on an opportunity follows it, or goes on purpose, when the opportunity changes company, is merged or
    becomes a lead again.

    =================== ============== ================ ================= ========= =======
    \\                  change company merge            duplicate         archive   delete
    =================== ============== ================ ================= ========= =======
    lines, contacts     refused *      to the head      copied            stay      go
    competitors         refused *      to the head      left out          stay      go
    collaborators       drop out *     to the head *    left out          stay      go
    stage visits        follow         go with the tail begins anew       stay      go
    change ledger       follows        goes with the    begins anew       stays     goes
                                       tail
    expected closing    follows        the head's, or   begins anew       stays     goes
                                       the one taken
    lost to             follows        the head's       left out          stays     goes
    activities          follow         to the head      left out          as Odoo   as Odoo
    =================== ============== ================ ================= ========= =======

    \\* where they belong to, or have access to, other companies only
    """

    _inherit = "crm.lead"

    # ------------------------------------------------------------
    # Company
    # ------------------------------------------------------------

    @api.constrains("company_id")
    def _check_company_of_type(self):
        """Odoo checks it where the company is written, but not where it follows the salesperson or the team."""
        self._check_company(["opportunity_type_id"])

    # ------------------------------------------------------------
    # Back to a lead
    # ------------------------------------------------------------

    @api.model
    def _get_part_fields(self):
        """Fields with what only an opportunity may have. Extend it by yours."""
        return ["opportunity_line_ids", "opportunity_contact_ids", "opportunity_competitor_ids"]

    @api.constrains("type")
    def _check_leads_have_no_parts(self):
        # sudo: a check does not depend on what the user may read
        leads = self.sudo().filtered(lambda lead: lead.type != "opportunity")
        for name in self._get_part_fields():
            leads[name]._check_lead_is_opportunity()

    # ------------------------------------------------------------
    # Merging
    # ------------------------------------------------------------

    def _merge_dependences(self, opportunities):
        """The head takes over the company first, where it has none: the parts that follow may belong to it."""
        if not self.company_id:
            self.company_id = opportunities.company_id[:1]
        return super()._merge_dependences(opportunities)
