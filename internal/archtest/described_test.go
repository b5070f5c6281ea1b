package archtest

import (
	"io/fs"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/agreement"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/control/evidence"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/incident"
	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/legalorder"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/control/proof"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/residency"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/control/succession"
	"github.com/skybridge-cloud/skybridge/internal/control/ticket"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// described are the modules with tables. A module that is missing here is
// reported by the rule.
var described = map[string][]holding.Table{
	"internal/control/account":      account.Holdings(),
	"internal/control/age":          age.Holdings(),
	"internal/control/agreement":    agreement.Holdings(),
	"internal/control/residency":    residency.Holdings(),
	"internal/control/audit":        audit.Holdings(),
	"internal/control/catalog":      catalog.Holdings(),
	"internal/control/consent":      consent.Holdings(),
	"internal/control/contact":      contact.Holdings(),
	"internal/control/ticket":       ticket.Holdings(),
	"internal/control/evidence":     evidence.Holdings(),
	"internal/control/fleet":        fleet.Holdings(),
	"internal/control/incident":     incident.Holdings(),
	"internal/control/ledger":       ledger.Holdings(),
	"internal/control/legalorder":   legalorder.Holdings(),
	"internal/control/notify":       notify.Holdings(),
	"internal/control/order":        order.Holdings(),
	"internal/control/payment":      payment.Holdings(),
	"internal/control/invoice":      invoice.Holdings(),
	"internal/control/erasure":      erasure.Holdings(),
	"internal/control/privacy":      privacy.Holdings(),
	"internal/control/proof":        proof.Holdings(),
	"internal/control/realname":     realname.Holdings(),
	"internal/control/service":      service.Holdings(),
	"internal/control/succession":   succession.Holdings(),
	"internal/control/vpn":          vpn.Holdings(),
	"internal/platform/backup":      backup.Holdings(),
	"internal/platform/idempotency": idempotency.Holdings(),
	"internal/platform/job":         job.Holdings(),
	"internal/platform/vault":       vault.Holdings(),
}

func describedHoldings(tree fs.FS) ([]Violation, error) { return Holdings(tree, described) }
