from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import float_compare, formatLang


class CrmOpportunityGenerate(models.TransientModel):
    """Product lines of opportunities on their way into a quotation, both ways.

    From an opportunity it makes a quotation or an order; from a quotation it appends to it. It says what and how many:
    prices come from the opportunity itself, and whoever cannot read a product line cannot take it.
    """

    _name = "crm.opportunity.generate"
    _description = "Quotation from Opportunity"

    lead_id = fields.Many2one("crm.lead", "Opportunity", help="Where the dialog was opened.")
    order_id = fields.Many2one("sale.order", "Quotation", help="The quotation to append to.")
    document = fields.Selection([("quotation", "Quotation"), ("order", "Order")], default="quotation", required=True)
    available_lead_ids = fields.Many2many("crm.lead", compute="_compute_available_lead_ids")
    lead_ids = fields.Many2many(
        "crm.lead",
        "crm_opportunity_generate_lead_rel",
        compute="_compute_lead_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
        string="Opportunities",
        domain="[('id', 'in', available_lead_ids)]",
    )
    line_ids = fields.One2many(
        "crm.opportunity.generate.line",
        "generate_id",
        "Products",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    quantity_warning = fields.Text(
        compute="_compute_quantity_warning",
        help="The lines that would take more than is left of the opportunity.",
    )
    is_nothing_left = fields.Boolean(
        compute="_compute_is_nothing_left", help="Everything that is offered is ordered, or in the quotation already."
    )

    @api.depends("order_id", "lead_id")
    def _compute_available_lead_ids(self):
        for wizard in self:
            order = wizard.order_id
            wizard.available_lead_ids = order._get_addable_opportunities() if order else wizard.lead_id

    @api.depends("order_id", "lead_id")
    def _compute_lead_ids(self):
        """The opportunity in hand; else the only one there is."""
        for wizard in self:
            in_hand = (wizard.lead_id or wizard.order_id.opportunity_id) & wizard.available_lead_ids._origin
            only = wizard.available_lead_ids if len(wizard.available_lead_ids) == 1 else wizard.lead_ids.browse()
            wizard.lead_ids = in_hand or only

    @api.depends("lead_ids")
    def _compute_line_ids(self):
        """Offer what is left of every line; what was changed already stays while its opportunity does."""
        for wizard in self:
            offered = wizard.lead_ids._origin.opportunity_line_ids
            kept = wizard.line_ids.filtered(
                lambda line, leads=wizard.lead_ids._origin: line.opportunity_line_id.lead_id._origin in leads
            )
            known_leads, order = kept.opportunity_line_id.lead_id._origin, wizard.order_id._origin
            wizard.line_ids = [Command.unlink(line.id) for line in wizard.line_ids - kept] + [
                Command.create({"opportunity_line_id": line.id, "product_uom_qty": line._get_offered_quantity(order)})
                for line in offered
                if line.lead_id not in known_leads
            ]

    @api.depends("line_ids.offered_qty")
    def _compute_is_nothing_left(self):
        for wizard in self:
            wizard.is_nothing_left = bool(wizard.line_ids) and not any(wizard.line_ids.mapped("offered_qty"))

    @api.depends("line_ids.product_uom_qty", "line_ids.offered_qty")
    def _compute_quantity_warning(self):
        for wizard in self:
            exceeding = wizard.line_ids.filtered("exceeds_offer")
            wizard.quantity_warning = "\n".join(line._get_quantity_warning() for line in exceeding)

    # ------------------------------------------------------------
    # Action
    # ------------------------------------------------------------

    def action_generate(self):
        """Make the document, or append to the quotation, in one transaction.

        :raise UserError: when nothing was chosen, or what was asked for may not be made
        :returns: the action that opens what was made, or closes the dialog
        """
        self.ensure_one()
        self.env["sale.order"]._check_takes_orders(self.lead_id | self.lead_ids)
        quantities = self._get_quantities()
        if self.order_id:
            return self._append(quantities)
        order = self.lead_id._create_quotation(quantities)
        if self.document == "order":
            result = order.action_confirm()
            if order.state != "sale":
                return result
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": order.id,
            "views": [(False, "form")],
        }

    def _append(self, quantities):
        self.order_id._check_allowed("append")
        if not self.order_id.opportunity_id:
            self.order_id.opportunity_id = self.lead_ids[:1]
        self.order_id._add_opportunity_lines(quantities)
        return {"type": "ir.actions.act_window_close"}

    def _get_quantities(self):
        """``{crm.opportunity.line: quantity}`` of what is to be taken, each line of an opportunity once."""
        quantities = {}
        for line in self.line_ids:
            if line.product_uom_qty:
                source = line.opportunity_line_id
                quantities[source] = quantities.get(source, 0) + line.product_uom_qty
        allowed = self.lead_ids if self.order_id else self.lead_id
        strangers = [line for line in quantities if line.lead_id not in allowed]
        if strangers or not allowed <= self.available_lead_ids:
            raise UserError(self.env._("Choose among the opportunities and product lines that are offered."))
        if not quantities:
            raise UserError(self.env._("Nothing to take over: give at least one product a quantity."))
        return quantities


class CrmOpportunityGenerateLine(models.TransientModel):
    _name = "crm.opportunity.generate.line"
    _inherit = ["sales.dialog.line.mixin"]
    _told_field = "opportunity_line_id"
    _description = "Quotation from Opportunity: Product"

    generate_id = fields.Many2one("crm.opportunity.generate", required=True, ondelete="cascade")
    opportunity_line_id = fields.Many2one("crm.opportunity.line", "Product Line", required=True, ondelete="cascade")
    lead_id = fields.Many2one(related="opportunity_line_id.lead_id", related_sudo=False)
    product_id = fields.Many2one(related="opportunity_line_id.product_id", related_sudo=False)
    product_uom_id = fields.Many2one(related="opportunity_line_id.product_uom_id", related_sudo=False)
    currency_id = fields.Many2one(related="opportunity_line_id.currency_id", related_sudo=False)
    price_unit = fields.Monetary(related="opportunity_line_id.price_unit", related_sudo=False, string="Quoted Price")
    quoted_qty = fields.Float(related="opportunity_line_id.quoted_qty", related_sudo=False)
    ordered_qty = fields.Float(related="opportunity_line_id.ordered_qty", related_sudo=False)
    offered_qty = fields.Float(
        "Remaining",
        compute="_compute_offered_qty",
        digits="Product Unit",
        help="Quantity that is neither ordered nor in this quotation yet, in the unit of the product line.",
    )
    exceeds_offer = fields.Boolean(compute="_compute_exceeds_offer")
    product_uom_qty = fields.Float("Quantity", digits="Product Unit", required=True)

    _check_quantity = models.Constraint("CHECK(product_uom_qty >= 0)", "The quantity to take over cannot be negative.")

    @api.depends("opportunity_line_id", "generate_id.order_id")
    def _compute_offered_qty(self):
        for line in self:
            source, order = line.opportunity_line_id._origin, line.generate_id.order_id._origin
            line.offered_qty = source._get_offered_quantity(order) if source else 0

    @api.depends("product_uom_qty", "offered_qty")
    def _compute_exceeds_offer(self):
        for line in self:
            line.exceeds_offer = line._compare_with_offer() > 0

    def _compare_with_offer(self):
        """Compare the quantity with what is left, in the precision of quantities: -1, 0 or 1."""
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        return float_compare(self.product_uom_qty, self.offered_qty, precision_digits=digits)

    def _get_quantity_warning(self):
        return self.env._(
            "%(product)s: %(quantity)s exceeds the %(left)s left of the opportunity.",
            product=self.product_id.display_name,
            quantity=self._format_quantity(self.product_uom_qty),
            left=self._format_quantity(self.offered_qty),
        )

    def _format_quantity(self, quantity):
        return formatLang(self.env, quantity, dp="Product Unit")
