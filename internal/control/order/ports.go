package order

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Consent is the gate of platform consent; nil opens. consent.Service fills it.
type Consent interface {
	Gate(ctx context.Context, subject id.Handle, purpose string) error
}

// RealName answers with the proof that an account is verified, or an error.
// realname.Service fills it.
type RealName interface {
	Require(ctx context.Context, owner account.ID) (realname.Verified, error)
}

// Audit joins a leaf to the caller's transaction. audit.Service fills it.
type Audit interface {
	AppendTx(ctx context.Context, tx *db.Tx, e audit.Event) error
}

// Goods says before money is asked for whether a line can be made: name,
// network, quota of the account. The provider of a product fills it.
type Goods interface {
	Check(ctx context.Context, spec service.Spec) error
	// CheckUpgrade is Check for a change of what an account has.
	CheckUpgrade(ctx context.Context, owner account.ID, resource string, options map[string]string) error
}

// Invoices is told in the transaction in which money has paid an order.
// invoice.Service fills it; nil: nobody is.
type Invoices interface {
	OrderPaidTx(ctx context.Context, tx *db.Tx, o Order) error
}

// Services knows what an account has, read by q (service.ErrNotFound for what it
// has not), and has made again what failed. service.Service fills it.
type Services interface {
	RetryProvision(ctx context.Context, by account.Principal, service string) error
	Owned(ctx context.Context, q db.Q, owner account.ID, resource string) (service.Item, error)
	Periods(ctx context.Context, q db.Q, service string) ([]service.Period, error)
}
