package app

import (
	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
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
	"github.com/skybridge-cloud/skybridge/internal/control/ticket"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

// Held is where a person's rows are, in the order in which an erasure deletes
// them: what hangs on a client or an account before the account itself.
func Held() []holding.Held {
	var all []holding.Held
	for _, h := range [][]holding.Held{
		fleet.Held(),
		vpn.Held(),
		service.Held(),
		order.Held(),
		payment.Held(),
		invoice.Held(),
		ledger.Held(),
		realname.Held(),
		notify.Held(),
		consent.Held(),
		audit.Held(),
		incident.Held(),
		privacy.Held(),
		erasure.Held(),
		age.Held(),
		residency.Held(),
		legalorder.Held(),
		proof.Held(),
		ticket.Held(),
		contact.Held(),
		account.Held(),
	} {
		all = append(all, h...)
	}
	return all
}
