package app

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// keepers are the modules that end something each night, those whose rows others
// look at before these: payments before their journals, values before their results.
// The log empties what the others ended.
func (m *modules) keepers() []retention.Keeper {
	return []retention.Keeper{
		m.account, m.realname, m.contact, m.consent, m.fleet, m.age, m.service, m.order, m.payment, m.invoice, m.ledger, m.ticket, m.incident, m.legalorder, erased{m}, m.audit,
	}
}

// stocker is a module that says what it keeps of which class.
type stocker interface{ Stocks() []retention.Stock }

// kept is what is kept of one class in some tables, and how it is counted.
type kept struct {
	class  string
	tables []string
	count  func(ctx context.Context, run retention.Run) (all, over int64, err error)
}

// keeps is everything that a class of the published table is kept in. A test holds
// every column of such a class to be in it.
func (m *modules) keeps(q db.Q) (all []kept) {
	for _, s := range []stocker{m.realname, m.contact, m.consent, m.service, m.order, m.payment, m.invoice, m.ledger, m.ticket, m.privacy, m.erasure, m.incident, m.legalorder, m.audit} {
		for _, stock := range s.Stocks() {
			all = append(all, kept{stock.Class, stock.Tables, stock.Over})
		}
	}
	for _, h := range Held() {
		if h.Keeps == nil || !slices.Contains(dated, h.Keeps.Until) || h.Dated == "" || h.Table == "audit_payload" {
			continue
		}
		all = append(all, kept{h.Keeps.Class, []string{h.Table}, func(ctx context.Context, run retention.Run) (int64, int64, error) {
			if run.Held(h.Keeps.Class, "") {
				return 0, 0, nil
			}
			return h.Before(ctx, q, retention.Gone(h.Keeps.Class, run.Profile, run.Today()).Start())
		}})
	}
	return append(all, kept{"account_core", cored(), m.lateErasures})
}

// dated are the ends of terms that begin with the day of record. Details of the
// audit log keep their rows, without what they said.
var dated = []string{"day+6m", "event+3y"}

// cored are the tables whose rows an erasure deletes with the account.
func cored() (tables []string) {
	for _, h := range Held() {
		if h.Keeps == nil {
			tables = append(tables, h.Table)
		}
	}
	return tables
}

// lateErasures counts erasures, and those that are not done when the account's data
// have to be gone.
func (m *modules) lateErasures(ctx context.Context, run retention.Run) (all, over int64, err error) {
	asked, err := m.erasure.Unfinished(ctx)
	for _, at := range asked {
		if run.Overdue("account_core", civil.DayOf(at)) {
			over++
		}
	}
	return int64(len(asked)), over, err
}

// lateServices answers for the services, which come after the module that asks.
type lateServices struct{ m *modules }

// IdentityNeeded fills realname.Needs.
func (l lateServices) IdentityNeeded(ctx context.Context, owner account.ID) (still bool, last time.Time, err error) {
	return l.m.service.IdentityNeeded(ctx, owner)
}
