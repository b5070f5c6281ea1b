package invoice

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's tables.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "invoice", Files: sub}
}

// Audit joins a leaf to the caller's transaction. audit.Service fills it.
type Audit interface {
	AppendTx(ctx context.Context, tx *db.Tx, e audit.Event) error
}

// Catalog says what products were called when they were sold. catalog.Service
// fills it.
type Catalog interface {
	NamesIn(ctx context.Context, q db.Q, version int64, product, region string) (productName, regionName catalog.Text, err error)
}

// Services knows what became of what was sold. service.Service fills it.
type Services interface {
	Item(ctx context.Context, owner account.ID, service string) (service.Item, error)
}

// Settings are the operator's.
type Settings struct {
	Seller       Seller
	Series       string // of invoices; empty = "INV"
	CreditSeries string // of credit notes; empty = "CN"
	TaxRate      int64  // that prices contain, in hundredths of a per cent; 0 = no tax is shown
}

// Deps is what the module needs.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Queue    *job.Queue
	Log      *slog.Logger
	Audit    Audit
	Catalog  Catalog
	Ledger   *ledger.Service
	Orders   *order.Service
	Payments *payment.Service
	Services Services // nil: bills name no resources of new orders
	Settings Settings
}

// Service issues documents and reads them.
type Service struct{ d Deps }

// ErrSetup refuses settings that documents cannot be numbered or taxed by.
var ErrSetup = errors.New("invoices are not set up right")

// New returns the module and registers its jobs: documents of what was paid before
// there were any, and the nightly proof.
func New(d Deps) (*Service, error) {
	if d.Settings.Series == "" {
		d.Settings.Series = "INV"
	}
	if d.Settings.CreditSeries == "" {
		d.Settings.CreditSeries = "CN"
	}
	s := &Service{d}
	if !named(d.Settings.Series) || !named(d.Settings.CreditSeries) || d.Settings.Series == d.Settings.CreditSeries {
		return nil, errors.Join(ErrSetup, errors.New("a series is 1 to 12 of A-Z and 0-9, and each kind has its own"))
	}
	if d.Settings.TaxRate < 0 || d.Settings.TaxRate > 100_00 {
		return nil, errors.Join(ErrSetup, errors.New("the tax rate is between 0 and 100 per cent"))
	}
	d.Queue.EveryFromStart("invoice.backfill", time.Hour, s.Backfill)
	d.Queue.Every("invoice.prove", 24*time.Hour, s.nightly)
	return s, nil
}

// named reports whether a series can begin a number.
func named(series string) bool {
	for _, r := range series {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return series != "" && len(series) <= 12
}
