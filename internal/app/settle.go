package app

import (
	"context"
	"maps"
	"path/filepath"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// erasures builds the module erasure on everything that an erasure touches.
func (m *modules) erasures(cfg config.Config, s *stores, d erasure.Deps) *erasure.Service {
	d.Logins, d.Tunnels, d.Settler, d.Letters, d.Holds = m.account, m.vpn, settler{m}, m.notify, m.privacy
	d.Values = privacy.Copier{DB: s.main, Vault: s.vault, Held: Held(), Tables: Holdings(), Clock: clock.System{}}
	d.Held, d.Tables, d.Tombstones, d.KeyBackup = Held(), Holdings(), cfg.Path(tombstoneFile), cfg.Backup.Keys.Keep
	d.Carried = func(ctx context.Context, request string) error {
		return m.privacy.Carried(ctx, account.Principal{}, request)
	}
	d.Truncate = []*db.DB{s.main, s.keys}
	d.Search = []erasure.Store{
		func(ctx context.Context, p *scan.Patterns) (scan.Report, error) {
			return p.Database(ctx, s.main, "main")
		},
		func(ctx context.Context, p *scan.Patterns) (scan.Report, error) {
			return p.Database(ctx, s.keys, "keys")
		},
		func(ctx context.Context, p *scan.Patterns) (scan.Report, error) { return p.Files(ctx, cfg.Data) },
	}
	d.Guardians = m.age
	for name, path := range outside(cfg) {
		d.Search = append(d.Search, func(ctx context.Context, p *scan.Patterns) (scan.Report, error) { return p.Elsewhere(ctx, name, path) })
	}
	d.Planter, d.Daily = m.account, !cfg.Demo.Enabled
	d.Limits = func() []string {
		return []string{"copies_by_hand", "recipients_word", "files_of_other_machines", "key_backups_until_complete", "deletion_by_key"}
	}
	return erasure.New(d)
}

// outside are the configured places of data that are not below the data directory:
// backups, and databases with a file of their own.
func outside(cfg config.Config) map[string]string {
	all := map[string]string{"backup.main": cfg.Backup.Main.Directory, "backup.keys": cfg.Backup.Keys.Directory}
	for name, dsn := range map[string]string{"database": cfg.MainDatabase(), "keystore": cfg.KeyDatabase()} {
		if !strings.Contains(dsn, "://") {
			all[name], all[name+"-wal"] = dsn, dsn+"-wal"
		}
	}
	maps.DeleteFunc(all, func(_, path string) bool { return path == "" || below(cfg.Data, path) })
	return all
}

// below reports whether a path is in a directory, whatever links lead there.
func below(dir, path string) bool {
	for _, p := range []*string{&dir, &path} {
		if target, err := filepath.EvalSymlinks(*p); err == nil {
			*p = target
		}
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// settler ends what an account has, over the modules that sold and run it.
type settler struct{ m *modules }

// Open fills erasure.Settler.
func (s settler) Open(ctx context.Context, a account.ID) ([]erasure.Unsettled, error) {
	var all []erasure.Unsettled
	err := s.services(ctx, a, func(v service.Item) error {
		if u, open := unsettled(v); open {
			all = append(all, u)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = s.orders(ctx, a, func(o order.Order) error {
		all = append(all, erasure.Unsettled{Kind: "order", ID: o.ID, State: string(o.State)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	refunds, err := s.m.payment.OpenRefunds(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, r := range refunds {
		all = append(all, erasure.Unsettled{Kind: "payment", ID: r.No, State: string(r.Phase)})
	}
	for _, cur := range money.Currencies() {
		b, err := s.m.payment.Wallet(ctx, a, cur)
		if err != nil {
			return nil, err
		}
		if b.Minor != 0 {
			all = append(all, erasure.Unsettled{Kind: "balance", ID: string(cur), State: b.String()})
		}
	}
	return all, nil
}

// unsettled tells what is left to do with a service: end it, or for one that was
// paid and could not be made give the money back.
func unsettled(v service.Item) (erasure.Unsettled, bool) {
	u := erasure.Unsettled{Kind: "service", ID: v.ID, State: string(v.State)}
	switch v.State {
	case service.Terminated, service.Cancelled:
		return u, false
	case service.ProvisionFailed:
		u.Kind = "payment"
	}
	return u, true
}

// Settle fills erasure.Settler.
func (s settler) Settle(ctx context.Context, a account.ID) ([]erasure.Unsettled, error) {
	err := s.orders(ctx, a, func(o order.Order) error {
		_, err := s.m.order.Cancel(ctx, account.Principal{Account: a, Subject: o.Subject}, o.ID)
		return unlessMoved(err)
	})
	if err != nil {
		return nil, err
	}
	err = s.services(ctx, a, func(v service.Item) error {
		kept := v.State == service.Terminating && !v.DataUntil.IsZero()
		if v.State != service.Active && v.State != service.Suspended && !kept {
			return nil
		}
		return unlessMoved(s.m.service.Terminate(ctx, v.ID))
	})
	if err != nil {
		return nil, err
	}
	if err := s.m.payment.ForfeitGifts(ctx, a); err != nil { // never paid out, so there is nothing to settle
		return nil, err
	}
	return s.Open(ctx, a)
}

// unlessMoved takes a thing that changed its state meanwhile for one to be looked
// at again.
func unlessMoved(err error) error {
	if errs.KindOf(err) == errs.Conflict {
		return nil
	}
	return err
}

func (s settler) services(ctx context.Context, a account.ID, do func(service.Item) error) error {
	for cursor := ""; ; {
		page, err := s.m.service.Items(ctx, a, cursor, 100)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, v := range page {
			if err := do(v); err != nil {
				return err
			}
			cursor = v.ID
		}
	}
}

// orders are those that wait for payment.
func (s settler) orders(ctx context.Context, a account.ID, do func(order.Order) error) error {
	for before := ""; ; {
		page, err := s.m.order.List(ctx, a, before, 100)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, o := range page {
			before = o.ID
			if o.State != order.PendingPayment {
				continue
			}
			if err := do(o); err != nil {
				return err
			}
		}
	}
}

// carrier does what the rights desk granted.
type carrier struct{ m *modules }

// CarryTx fills privacy.Carrier.
func (c carrier) CarryTx(ctx context.Context, tx *db.Tx, r privacy.Request) error {
	if r.Kind != privacy.Delete && r.Kind != privacy.Cancel {
		return nil // staff carry it out, and say so
	}
	if r.Account == "" {
		return c.eraseUserTx(ctx, tx, r)
	}
	_, err := c.m.erasure.OpenTx(ctx, tx, erasure.Case{Subject: r.Subject, Account: r.Account, Trigger: erasure.Granted, Request: r.ID}, audit.Actor{Class: vault.Job})
	return err
}

// eraseUserTx shuts the SSL client of a user at once, tells its administrator, and
// has what is held of the user erased.
func (c carrier) eraseUserTx(ctx context.Context, tx *db.Tx, r privacy.Request) error {
	u, err := c.m.vpn.LeaveTx(ctx, tx, r.Subject)
	if err != nil {
		return err
	}
	by := audit.Actor{Class: vault.Self, Handle: r.Subject}
	_, err = c.m.erasure.OpenTx(ctx, tx, erasure.Case{Subject: r.Subject, Client: u.Client, Trigger: erasure.Asked, Request: r.ID}, by)
	return err
}

// gates are what stands before every reading of sealed data: the basis of its
// purpose, and that its person is not erased.
type gates struct{ m *modules }

// Gate fills vault.Gate.
func (g gates) Gate(ctx context.Context, subject id.Handle, purpose string) error {
	if err := g.m.erasure.Restricted(ctx, subject, purpose); err != nil {
		return err
	}
	return g.m.consent.Gate(ctx, subject, purpose)
}

// erased has the nightly run end what erasures left to the law. The desk, which runs
// it, is there before the erasures are.
type erased struct{ m *modules }

// Retain fills retention.Keeper.
func (e erased) Retain(ctx context.Context, r retention.Run) ([]retention.Result, error) {
	return e.m.erasure.Retain(ctx, r)
}
