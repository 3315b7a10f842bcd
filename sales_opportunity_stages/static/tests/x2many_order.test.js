import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { clickSave, contains, defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class Stage extends models.Model {
    _name = "crm.stage";

    name = fields.Char();
    sequence = fields.Integer();
    probability = fields.Float();

    _records = [
        { id: 1, name: "Alpha", sequence: 1 },
        { id: 2, name: "Beta", sequence: 2 },
        { id: 3, name: "Gamma", sequence: 3 },
    ];
    _views = {
        form: `<form><field name="name" /><field name="probability" /></form>`,
    };
}

class Type extends models.Model {
    _name = "crm.opportunity.type";

    stage_ids = fields.Many2many({ relation: "crm.stage" });
    owned_ids = fields.One2many({ relation: "crm.stage" });

    _records = [{ id: 1, stage_ids: [1, 2, 3], owned_ids: [1, 2, 3] }];
}

defineMailModels();
defineModels([Stage, Type]);

async function drag(row, target) {
    const { moveTo, drop } = await contains(`.o_data_row:eq(${row}) .o_row_handle`).drag();
    await moveTo(`.o_data_row:eq(${target})`);
    await drop(`.o_data_row:eq(${target})`);
}

function checkOrderAfterDialog(name) {
    return async () => {
        onRpc("crm.opportunity.type", "web_save", ({ args }) => {
            const sequences = args[1][name].map(([, id, values]) => [id, values.sequence]);
            expect.step(sequences.sort());
        });
        await mountView({
            type: "form",
            resModel: "crm.opportunity.type",
            resId: 1,
            arch: /* xml */ `
                <form>
                    <field name="${name}">
                        <list><field name="sequence" widget="handle" /><field name="name" /></list>
                    </field>
                </form>`,
        });
        await contains(".o_data_cell:contains(Alpha)").click();
        await contains(".modal [name=probability] input").edit("10");
        await contains(".modal .o_form_button_save").click();
        await drag(2, 0);
        await drag(2, 1);
        expect(queryAllTexts(".o_data_cell.o_list_char")).toEqual(["Gamma", "Beta", "Alpha"]);
        await clickSave();
        expect(queryAllTexts(".o_data_cell.o_list_char")).toEqual(["Gamma", "Beta", "Alpha"]);
        expect.verifySteps([
            [
                [1, 3],
                [2, 2],
                [3, 1],
            ],
        ]);
    };
}

test("rows keep their new order after one was opened in a dialog", checkOrderAfterDialog("stage_ids"));
test("rows of a one2many keep their new order too", checkOrderAfterDialog("owned_ids"));
