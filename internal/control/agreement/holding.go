package agreement

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	const paper, staff = "what a document of the operator says", "handle of a member of staff acting in office"
	return []holding.Table{
		holding.Of("agreement_contract", holding.None(paper, "id", "recipient", "sha256", "purposes", "kinds", "method", "safeguards", "supervision",
			"begins_at", "ends_at", "at"), holding.None(staff, "approver")),
		holding.Of("agreement_assessment", holding.None(paper, "id", "pia", "sha256", "necessity", "impact", "measures", "ends_at", "at"),
			holding.None(staff, "approver")),
	}
}
