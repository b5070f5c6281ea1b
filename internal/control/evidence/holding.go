package evidence

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes every column of the module.
func Holdings() []holding.Table {
	return []holding.Table{
		holding.Of("evidence_result", holding.None("counts over all rows of a kind", "query", "state", "examined", "found", "checks", "failures", "at", "since")),
	}
}
