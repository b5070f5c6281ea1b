package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

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
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/backup"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// Migrations lists the schemas of the main database. The key store has its
// own, vault.Migrations.
func Migrations() []db.Migrations {
	return []db.Migrations{
		job.Migrations(),
		idempotency.Migrations(),
		audit.Migrations(),
		consent.Migrations(),
		agreement.Migrations(),
		residency.Migrations(),
		age.Migrations(),
		account.Migrations(),
		contact.Migrations(),
		ticket.Migrations(),
		notify.Migrations(),
		realname.Migrations(),
		catalog.Migrations(),
		ledger.Migrations(),
		fleet.Migrations(),
		vpn.Migrations(),
		service.Migrations(),
		order.Migrations(),
		payment.Migrations(),
		invoice.Migrations(),
		incident.Migrations(),
		privacy.Migrations(),
		erasure.Migrations(),
		legalorder.Migrations(),
		succession.Migrations(),
		proof.Migrations(),
		evidence.Migrations(),
		backup.Migrations(),
	}
}

// Holdings is the data map of the main database: every table and column.
func Holdings() []holding.Table {
	var all []holding.Table
	for _, h := range [][]holding.Table{
		job.Holdings(),
		idempotency.Holdings(),
		audit.Holdings(),
		consent.Holdings(),
		agreement.Holdings(),
		residency.Holdings(),
		age.Holdings(),
		account.Holdings(),
		contact.Holdings(),
		ticket.Holdings(),
		notify.Holdings(),
		realname.Holdings(),
		catalog.Holdings(),
		ledger.Holdings(),
		fleet.Holdings(),
		vpn.Holdings(),
		service.Holdings(),
		order.Holdings(),
		payment.Holdings(),
		invoice.Holdings(),
		incident.Holdings(),
		privacy.Holdings(),
		erasure.Holdings(),
		legalorder.Holdings(),
		succession.Holdings(),
		proof.Holdings(),
		evidence.Holdings(),
		backup.Holdings(),
	} {
		all = append(all, h...)
	}
	return all
}

// ErrUnclassified says that the live schema and the data map differ, or that a
// field which leaves the tables is in no register. The
// program ends with ExitUnclassified before it listens.
var ErrUnclassified = errors.New("something is stored or sent that the data map does not describe")

// ExitUnclassified is the exit status for ErrUnclassified (EX_CONFIG).
const ExitUnclassified = 78

// stores are the two databases and what stands directly on them.
type stores struct {
	main, keys *db.DB
	vault      *vault.Vault
}

// openStores opens both databases. The embedded ones are migrated; PostgreSQL
// must have been, by the command migrate.
func openStores(ctx context.Context, cfg config.Config, log *slog.Logger) (*stores, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	if err := keepProfile(cfg); err != nil {
		return nil, err
	}
	s := &stores{}
	var err error
	if s.main, err = openOne(ctx, cfg.MainDatabase(), Migrations()...); err != nil {
		return nil, err
	}
	if s.keys, err = openOne(ctx, cfg.KeyDatabase(), vault.Migrations()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := verifySchema(ctx, s.main, cfg.Profile); err != nil {
		return nil, errors.Join(err, s.close())
	}
	kek, err := vault.FileKEK(cfg.Path("kek"))
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.vault, err = vault.New(ctx, vault.Deps{DB: s.keys, Custodian: kek, Clock: clock.System{}, Log: log})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stores) close() error {
	var all []error
	for _, d := range []*db.DB{s.main, s.keys} {
		if d != nil {
			all = append(all, d.Close())
		}
	}
	return errors.Join(all...)
}

func openOne(ctx context.Context, dsn string, sets ...db.Migrations) (*db.DB, error) {
	d, err := db.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if d.Dialect() == db.SQLite {
		err = d.Migrate(ctx, sets...)
	} else {
		err = upToDate(ctx, d, sets)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func upToDate(ctx context.Context, d *db.DB, sets []db.Migrations) error {
	behind, err := d.Pending(ctx, sets...)
	if err != nil {
		return err
	}
	if len(behind) > 0 {
		return fmt.Errorf("the tables of %s are older than this program: run skybridge migrate", strings.Join(behind, ", "))
	}
	return nil
}

// verifySchema holds clause group SCHEMA: no column that nobody classified, and
// none that the published text does not say.
func verifySchema(ctx context.Context, d *db.DB, profile string) error {
	live, err := d.Schema(ctx)
	if err != nil {
		return err
	}
	if err := holding.Verify(Holdings(), live); err != nil {
		return fmt.Errorf("%w: %w", ErrUnclassified, err)
	}
	if err := consent.Declared(profile, Holdings()); err != nil {
		return fmt.Errorf("%w, or more than the privacy policy says: %w", ErrUnclassified, err)
	}
	return nil
}

// verifyFields holds clause group SCHEMA for what leaves the tables: keys of log
// lines, arguments of jobs, labels of metrics, messages to gateways, fields of the
// API. Those for recipients are held where their register is read.
func verifyFields(q *job.Queue, a *api.API) error {
	if err := errors.Join(slogx.Keys.Verify(), q.Verify(), metric.Labels.Verify(), verifyMessages(), a.Verify()); err != nil {
		return fmt.Errorf("%w: %w", ErrUnclassified, err)
	}
	return nil
}

// verifyMessages holds what goes between control and gateways.
func verifyMessages() error {
	var categories []string
	for _, c := range holding.Categories() {
		categories = append(categories, string(c))
	}
	return gwlink.Verify(categories...)
}

// keepProfile refuses to start an installation under another profile than its
// first.
func keepProfile(cfg config.Config) error {
	file := cfg.Path("profile")
	first, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return durable.Replace(file, []byte(cfg.Profile+"\n"))
	}
	if err != nil {
		return fmt.Errorf("reading the installation's profile: %w", err)
	}
	if was := strings.TrimSpace(string(first)); was != cfg.Profile {
		return fmt.Errorf("this installation was begun with profile %s and cannot become %s: choose another data directory", was, cfg.Profile)
	}
	return nil
}

// Migrate brings both databases to the version of this program.
func Migrate(ctx context.Context, cfg config.Config, out io.Writer, _ *slog.Logger) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	for _, one := range []struct {
		name, dsn string
		sets      []db.Migrations
	}{{"main database", cfg.MainDatabase(), Migrations()}, {"key store", cfg.KeyDatabase(), []db.Migrations{vault.Migrations()}}} {
		d, err := db.Open(ctx, one.dsn)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		err = d.Migrate(ctx, one.sets...)
		if err := errors.Join(err, d.Close()); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		fmt.Fprintf(out, "%s: up to date\n", one.name)
	}
	return nil
}
