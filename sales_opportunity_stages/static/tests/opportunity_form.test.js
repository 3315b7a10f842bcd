import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { hover, queryOne } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import {
    clickSave,
    contains,
    defineModels,
    fields,
    makeServerError,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

class Stage extends models.Model {
    _name = "crm.stage";

    name = fields.Char();

    _records = [
        { id: 1, name: "Contact" },
        { id: 2, name: "Needs" },
    ];
}

class Line extends models.Model {
    _name = "crm.opportunity.line";

    name = fields.Char();
    price_unit = fields.Monetary({ currency_field: "currency_id" });
    currency_id = fields.Many2one({ relation: "res.currency" });

    _records = [
        { id: 1, name: "Pump", price_unit: 0, currency_id: 1 },
        { id: 2, name: "Valve", price_unit: 40, currency_id: 1 },
    ];
}

class Lead extends models.Model {
    _name = "crm.lead";

    name = fields.Char();
    stage_id = fields.Many2one({ relation: "crm.stage" });
    priority = fields.Selection({
        selection: [
            ["0", "Low"],
            ["1", "Medium"],
            ["2", "High"],
        ],
    });
    email_from = fields.Char();
    phone = fields.Char();
    partner_email_update = fields.Boolean();
    partner_phone_update = fields.Boolean();
    referred = fields.Char();
    stage_checklist = fields.Json();
    stage_progress = fields.Char();
    stage_outlook = fields.Char();
    can_promote = fields.Boolean();
    opportunity_line_ids = fields.One2many({ relation: "crm.opportunity.line" });

    _records = [
        {
            id: 1,
            name: "Deal",
            stage_id: 1,
            priority: "0",
            stage_progress: "1/2",
            stage_outlook: "Still required: Call",
            opportunity_line_ids: [1, 2],
            stage_checklist: {
                stage: "Contact",
                next_stage: "Needs",
                is_open: true,
                can_promote: false,
                missing: ["Call", "Referred"],
                items: [
                    { id: 1, label: "Call", kind: "action", required: true, state: "scheduled", activity_id: 7 },
                    { id: 2, label: "Contract", kind: "action", required: true, state: "scheduled", is_upload: true },
                    {
                        id: 3,
                        label: "Referred",
                        kind: "condition",
                        required: true,
                        state: "todo",
                        target: { field: "referred", label: "Referred By" },
                    },
                    {
                        id: 4,
                        label: "Elsewhere",
                        kind: "condition",
                        state: "todo",
                        target: { field: "not_in_this_form", label: "Elsewhere" },
                    },
                    {
                        id: 5,
                        label: "Quotation made",
                        kind: "condition",
                        state: "todo",
                        target: { method: "action_new", label: "New Quotation" },
                    },
                ],
            },
        },
    ];
}

defineMailModels();
defineModels([Stage, Line, Lead]);

function mountForm(content = "") {
    return mountView({
        type: "form",
        resModel: "crm.lead",
        resId: 1,
        arch: /* xml */ `
            <form js_class="crm_form">
                <header>
                    <field name="stage_id" widget="statusbar" options="{'clickable': '1'}" />
                </header>
                <sheet>
                    <field name="partner_email_update" invisible="1" />
                    <field name="partner_phone_update" invisible="1" />
                    <field name="email_from" invisible="1" />
                    <field name="phone" invisible="1" />
                    <field name="name" />
                    <field name="priority" widget="priority" />
                    ${content}
                </sheet>
            </form>`,
    });
}

function refuse() {
    onRpc("crm.lead", "web_save", ({ args }) => {
        expect.step(Object.keys(args[1]).sort().join());
        throw makeServerError({ message: "Still to do: Call" });
    });
}

const current = () => queryOne(".o_statusbar_status .o_arrow_button_current").textContent.trim();

describe.current.tags("desktop");

describe("what is refused is taken back", () => {
    beforeEach(() => expect.errors(1));

    test("a stage, and the form can be left", async () => {
        refuse();
        await mountForm();
        await contains(".o_statusbar_status button:contains(Needs)").click();
        await animationFrame();
        expect(".modal").toHaveText(/Still to do: Call/);
        expect.verifyErrors(["RPC_ERROR"]);
        expect(current()).toBe("Contact");
        expect(".o_form_status_indicator_buttons").toHaveClass("invisible");
        await contains(".modal .btn-primary").click();
        expect(".o_form_status_indicator_buttons").toHaveClass("invisible");
        expect.verifySteps(["stage_id"]);
    });

    test("a stage, but not what else is unsaved", async () => {
        refuse();
        await mountForm();
        await contains(".o_field_widget[name=name] input").edit("Large deal");
        await contains(".o_statusbar_status button:contains(Needs)").click();
        await animationFrame();
        expect.verifyErrors(["RPC_ERROR"]);
        expect.verifySteps(["name,stage_id"]);
        expect(current()).toBe("Contact");
        expect(".o_field_widget[name=name] input").toHaveValue("Large deal");
        expect(".o_form_status_indicator_buttons").not.toHaveClass("invisible");
    });

    test("a priority", async () => {
        refuse();
        await mountForm();
        await contains(".o_priority_star:last").click();
        await animationFrame();
        expect.verifyErrors(["RPC_ERROR"]);
        expect.verifySteps(["priority"]);
        await hover(".o_form_status_indicator"); // while the mouse is over the stars they show what a click would give
        await animationFrame();
        expect(".o_priority_star.fa-star").toHaveCount(0);
        expect(".o_form_status_indicator_buttons").toHaveClass("invisible");
    });
});

test("a stage that is not refused is saved with what else was changed", async () => {
    onRpc("crm.lead", "web_save", ({ args }) => {
        expect.step(args[1]);
    });
    onRpc("crm.lead", "get_rainbowman_message", () => false);
    await mountForm();
    await contains(".o_field_widget[name=name] input").edit("Large deal");
    await contains(".o_statusbar_status button:contains(Needs)").click();
    await animationFrame();
    expect.verifySteps([{ name: "Large deal", stage_id: 2 }]);
    expect(current()).toBe("Needs");
    expect(".o_form_status_indicator_buttons").toHaveClass("invisible");
});

test("a refusal does not touch what is saved later", async () => {
    expect.errors(1);
    let refused = false;
    onRpc("crm.lead", "web_save", ({ args }) => {
        expect.step(args[1]);
        if (!refused) {
            refused = true;
            throw makeServerError({ message: "Still to do: Call" });
        }
    });
    await mountForm();
    await contains(".o_statusbar_status button:contains(Needs)").click();
    await animationFrame();
    expect.verifyErrors(["RPC_ERROR"]);
    await contains(".modal .btn-primary").click();
    await contains(".o_field_widget[name=name] input").edit("Large deal");
    await clickSave();
    expect.verifySteps([{ stage_id: 2 }, { name: "Large deal" }]);
});

const CHECKLIST = /* xml */ `
    <field name="stage_checklist" widget="stage_checklist" />
    <notebook>
        <page name="first" string="First"><field name="stage_progress" /></page>
        <page name="second" string="Second"><field name="referred" /></page>
    </notebook>`;

test("mark an action done from the checklist", async () => {
    onRpc("mail.activity", "action_feedback", ({ args }) => {
        expect.step(args);
        return true;
    });
    onRpc("crm.lead", "web_read", () => expect.step("read"));
    await mountForm(CHECKLIST);
    expect.verifySteps(["read"]);
    expect(".o_stage_checklist_done").toHaveCount(1, { message: "an upload is not done without a document" });
    await contains("[data-rule=Call] .o_stage_checklist_done").click();
    await animationFrame();
    expect.verifySteps([[[7]], "read"]);
});

test("go to where a condition is met", async () => {
    await mountForm(CHECKLIST);
    expect(".o_field_widget[name=referred]").toHaveCount(0);
    expect("[data-rule=Elsewhere] .o_stage_checklist_target").toHaveCount(0);
    expect("[data-rule='Quotation made'] .o_stage_checklist_target").toHaveText("New Quotation");
    await contains("[data-rule=Referred] .o_stage_checklist_target").click();
    await animationFrame();
    expect(".o_field_widget[name=referred] input").toBeFocused();
});

test("an unsaved stage shows no checklist of the old one", async () => {
    Lead._records[0].stage_checklist = { unsaved_stage: "Needs", items: [] };
    await mountForm(CHECKLIST);
    expect(".o_stage_checklist").toHaveText("Save to see what Needs requires.");
});

test("a price that is not quoted is not shown as zero", async () => {
    await mountForm(/* xml */ `
        <field name="opportunity_line_ids">
            <list editable="bottom">
                <field name="name" />
                <field name="currency_id" column_invisible="1" />
                <field name="price_unit" widget="quoted_price" />
            </list>
        </field>`);
    expect(".o_data_row:first [name=price_unit]").toHaveText("Not quoted");
    expect(".o_data_row:last [name=price_unit]").toHaveText("$ 40.00");
    await contains(".o_data_row:first [name=price_unit]").click();
    expect(".o_data_row:first [name=price_unit] input").toHaveValue("0.00");
});

test("the card tells what is still required", async () => {
    await mountView({
        type: "kanban",
        resModel: "crm.lead",
        arch: /* xml */ `
            <kanban>
                <templates>
                    <t t-name="card"><field name="stage_progress" widget="stage_progress" /></t>
                </templates>
            </kanban>`,
    });
    expect(".o_stage_progress").toHaveText("1/2");
    expect(".o_stage_progress").toHaveAttribute("data-tooltip", "Still required: Call");
});
