import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { animationFrame } from "@odoo/hoot-mock";
import { contains, defineModels, fields, makeServerError, models, mountView, onRpc } from "@web/../tests/web_test_helpers";
import { formatRate } from "@sales_opportunity_stages/rate/rate_formatter";
import { promoteHandler } from "@sales_opportunity_stages/promote/promote_handler";
import { RPCError } from "@web/core/network/rpc";

class Lead extends models.Model {
    _name = "crm.lead";

    name = fields.Char();
    referred = fields.Char();
    stage_checklist = fields.Json();

    _records = [
        {
            id: 1,
            name: "Deal",
            stage_checklist: {
                stage: "Contact",
                next_stage: "Needs",
                is_open: true,
                can_promote: false,
                missing: [],
                items: [
                    { id: 1, label: "Call", kind: "action", required: true, state: "todo", evidence: "none" },
                    { id: 2, label: "Visit", kind: "action", required: true, state: "todo", evidence: "feedback" },
                    { id: 3, label: "Plan", kind: "document", state: "todo" },
                    { id: 4, label: "Scope", kind: "signoff", state: "todo", can_sign: true },
                    { id: 5, label: "Price", kind: "signoff", state: "todo", can_sign: false },
                    {
                        id: 6,
                        label: "Referred",
                        kind: "field",
                        required: true,
                        state: "todo",
                        field: "referred",
                        target: { field: "referred", label: "Referred By" },
                    },
                ],
            },
        },
    ];
}

class Promote extends models.Model {
    _name = "crm.lead.promote";

    lead_id = fields.Many2one({ relation: "crm.lead" });
    field_values = fields.Json();
    line_ids = fields.One2many({ relation: "crm.lead.promote.line" });

    _records = [{ id: 1, lead_id: 1, line_ids: [1, 2, 3] }];
}

class PromoteLine extends models.Model {
    _name = "crm.lead.promote.line";

    kind = fields.Char();
    info = fields.Json();
    resolution = fields.Selection({
        selection: [
            ["done", "Done"],
            ["schedule", "Schedule"],
            ["request", "Request"],
        ],
    });
    feedback = fields.Text();
    date_deadline = fields.Date();
    attachment_ids = fields.Many2many({ relation: "ir.attachment" });

    _records = [
        { id: 1, kind: "action", info: { label: "Call", stage: "Contact", evidence: "feedback" } },
        {
            id: 2,
            kind: "field",
            info: {
                label: "Referred By",
                stage: "Needs",
                field: "referred",
                is_input: true,
                needed_fields: [],
                target: { field: "referred", label: "Referred By" },
            },
        },
        { id: 3, kind: "signoff", info: { label: "Scope", stage: "Needs", signers: "Li", can_sign: false } },
    ];
}

defineMailModels();
defineModels([Lead, Promote, PromoteLine]);

describe.current.tags("desktop");

const PROMOTE = /* xml */ `
    <form>
        <field name="lead_id" invisible="1" />
        <field name="field_values" invisible="1" />
        <field name="line_ids" widget="promote_lines">
            <list>
                <field name="kind" />
                <field name="info" />
                <field name="resolution" />
                <field name="feedback" />
                <field name="date_deadline" />
                <field name="attachment_ids" widget="many2many_binary" />
            </list>
        </field>
    </form>`;

test("the dialog lists what is missing by stage and saves all of it at once", async () => {
    onRpc("crm.lead.promote", "web_save", ({ args }) => {
        expect.step(args[1]);
    });
    onRpc("crm.lead", "web_save", () => expect.step("the opportunity is not saved by the dialog"));
    await mountView({ type: "form", resModel: "crm.lead.promote", resId: 1, arch: PROMOTE });
    expect(".o_promote_stage").toHaveCount(2);
    expect(".o_promote_stage:first h5").toHaveText("Contact");
    await contains("[data-rule=Call] .o_promote_done").click();
    await contains("[data-rule=Call] textarea").edit("They agree");
    await contains("[data-rule=Scope] .o_promote_request").click();
    await contains("[data-rule='Referred By'] input").edit("Li");
    await contains(".o_form_button_save").click();
    expect.verifySteps([
        {
            field_values: { referred: "Li" },
            line_ids: [
                [1, 1, { resolution: "done", feedback: "They agree" }],
                [1, 3, { resolution: "request" }],
            ],
        },
    ]);
});

test("a choice is taken back by a second click", async () => {
    await mountView({ type: "form", resModel: "crm.lead.promote", resId: 1, arch: PROMOTE });
    await contains("[data-rule=Call] .o_promote_schedule").click();
    expect("[data-rule=Call] .o_promote_schedule").toHaveClass("active");
    expect("[data-rule=Call] textarea").toHaveCount(0);
    await contains("[data-rule=Call] .o_promote_schedule").click();
    expect("[data-rule=Call] .o_promote_schedule").not.toHaveClass("active");
});

test("a refused move opens the dialog in place of the text", () => {
    const steps = [];
    const env = { services: { action: { doAction: (action) => steps.push(action) } } };
    const error = new RPCError("Still to do");
    error.data = { context: { crm_lead_promote: { lead_ids: [7], target_stage_id: 3 } } };
    expect(promoteHandler(env, {}, error)).toBe(true);
    expect(steps[0].res_model).toBe("crm.lead.promote");
    expect(steps[0].context.default_lead_ids).toEqual([7]);
    expect(steps[0].context.default_target_stage_id).toBe(3);
    error.data = { context: {} };
    expect(promoteHandler(env, {}, error)).toBe(false);
    expect(promoteHandler(env, {}, new Error("other"))).toBe(false);
});

const CHECKLIST = /* xml */ `
    <form>
        <field name="stage_checklist" widget="stage_checklist" />
        <group><field name="referred" /></group>
    </form>`;

test("one click marks an action done that is not even planned", async () => {
    onRpc("crm.lead", "action_complete_rule", ({ args }) => {
        expect.step(args);
        return true;
    });
    await mountView({ type: "form", resModel: "crm.lead", resId: 1, arch: CHECKLIST });
    await contains("[data-rule=Call] .o_stage_checklist_done").click();
    await animationFrame();
    expect.verifySteps([[[1], 1]]);
});

test("evidence is asked for before an action is done", async () => {
    onRpc("crm.lead", "action_complete_rule", ({ args, kwargs }) => {
        expect.step([args[1], kwargs.feedback]);
        return true;
    });
    await mountView({ type: "form", resModel: "crm.lead", resId: 1, arch: CHECKLIST });
    await contains("[data-rule=Visit] .o_stage_checklist_done").click();
    await animationFrame();
    expect(".modal .btn-primary").toHaveProperty("disabled", true);
    await contains(".modal textarea").edit("Space is enough");
    await contains(".modal .btn-primary").click();
    await animationFrame();
    expect.verifySteps([[2, "Space is enough"]]);
    expect(".modal").toHaveCount(0);
});

test("what was given stays in the dialog when the server refuses it", async () => {
    expect.errors(1);
    onRpc("crm.lead", "action_sign_off", () => {
        throw makeServerError({ message: "You cannot sign off" });
    });
    await mountView({ type: "form", resModel: "crm.lead", resId: 1, arch: CHECKLIST });
    await contains("[data-rule=Scope] .o_stage_checklist_sign").click();
    await contains(".modal textarea").edit("Fine");
    await contains(".modal .btn-primary").click();
    await animationFrame();
    expect.verifyErrors(["RPC_ERROR"]);
    expect(".modal textarea").toHaveValue("Fine");
});

test("each kind offers what meets it, and required fields are marked", async () => {
    await mountView({ type: "form", resModel: "crm.lead", resId: 1, arch: CHECKLIST });
    expect("[data-rule=Plan] .o_stage_checklist_attach").toHaveCount(1);
    expect("[data-rule=Scope] .o_stage_checklist_sign").toHaveCount(1);
    expect("[data-rule=Price] .o_stage_checklist_request").toHaveCount(1);
    expect("[data-rule=Price] .o_stage_checklist_sign").toHaveCount(0);
    expect(".o_field_widget[name=referred]").toHaveClass("o_stage_required");
});

test("a rate is empty where there is none", () => {
    expect(formatRate(false)).toBe("");
    expect(formatRate(null)).toBe("");
    expect(formatRate(undefined)).toBe("");
    expect(formatRate(0)).toBe("0%");
    expect(formatRate(0.256)).toBe("25.6%");
});
