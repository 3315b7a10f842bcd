import { _t } from "@web/core/l10n/translation";

/**
 * What the width of a segment may stand for, and what of it was lost or is pending, in the same unit.
 *
 * What is lost weighs nothing: beside weighted amounts stands the expected revenue that was lost.
 */
export const FUNNEL_MEASURES = {
    reached: {
        label: _t("Count"),
        lost_here: "lost_here",
        pending: "pending",
        beside: "expected_revenue",
    },
    expected_revenue: {
        label: _t("Expected Revenue"),
        lost_here: "lost_revenue",
        pending: "pending_revenue",
        beside: "reached",
    },
    prorated_revenue: {
        label: _t("Weighted Revenue"),
        lost_here: "lost_revenue",
        pending: "pending_prorated_revenue",
        beside: "reached",
    },
};

/** Figures that say nothing of a stage that is won: there is no next one, and nobody stays there. */
export const NOT_OF_WON = [
    "advanced",
    "step_rate",
    "resolved_rate",
    "days_in_stage",
    "median_days",
];

/** Measures that count an opportunity in each stage that it reached: they have no total over stages. */
export const PER_STAGE = [
    "reached",
    "touched",
    "inferred",
    "advanced",
    "expected_revenue",
    "prorated_revenue",
];
