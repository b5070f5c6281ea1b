package archtest

import (
	"io/fs"

	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
)

// described are the modules with tables. A module that is missing here is
// reported by the rule.
var described = map[string][]holding.Table{
	"internal/control/catalog":      catalog.Holdings(),
	"internal/control/consent":      consent.Holdings(),
	"internal/control/fleet":        fleet.Holdings(),
	"internal/control/ledger":       ledger.Holdings(),
	"internal/control/order":        order.Holdings(),
	"internal/platform/idempotency": idempotency.Holdings(),
}

func describedHoldings(tree fs.FS) ([]Violation, error) { return Holdings(tree, described) }
