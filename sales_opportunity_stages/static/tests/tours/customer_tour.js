import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const open = (name) => [{ trigger: `a:contains(${name})`, run: "click", expectUnloadPage: true }];

tours.add("sales_opportunity_stages_customer_signs", {
    steps: () => [
        ...open("Tour Signed"),
        { trigger: "#quote_content:not(:has(.o_sale_portal_notice))" },
        { trigger: "a[data-bs-target='#modalaccept']:contains(Sign)", run: "click" },
        { trigger: ".modal .o_web_sign_name_and_signature input", run: "edit Ann Acme" },
        { trigger: ".modal canvas.o_web_sign_signature", run: "canvasNotEmpty" },
        { trigger: ".modal .o_portal_sign_submit:enabled", run: "click", expectUnloadPage: true },
        { trigger: "#quote_content:contains(Thank You)" },
    ],
});

tours.add("sales_opportunity_stages_customer_is_told", {
    steps: () => [
        { trigger: "tr:contains(Tour Closed):contains(Closed)" },
        ...open("Tour Closed"),
        {
            content: "in plain words, and no button",
            trigger: ".o_sale_portal_notice:contains(is closed and can no longer be accepted)",
        },
        { trigger: "body:not(:has(a[data-bs-target='#modalaccept'])):not(:contains(No budget))" },
        { trigger: ".o_portal_submenu a:contains(Quotations)", run: "click", expectUnloadPage: true },
        ...open("Tour Waiting"),
        { trigger: ".o_sale_portal_notice:contains(cannot be accepted yet)" },
        { trigger: "body:not(:has(a[data-bs-target='#modalaccept'])):not(:contains(approv))" },
    ],
});
