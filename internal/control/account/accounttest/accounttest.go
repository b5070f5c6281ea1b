// Package accounttest makes people for tests: accounts registered through the
// real use cases, on real databases, with the lower modules of consenttest.
//
// It is not for production code.
package accounttest

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
)

// Password is a password that the policy takes.
const Password = "tall gates open slowly 7"

// From is a source address of the documentation networks.
var From = account.Source{
	IP:        netip.MustParseAddr("192.0.2.10"),
	UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
}

// Migrations are the schemas that Rig needs.
func Migrations() []db.Migrations {
	return append(consenttest.Migrations(), age.Migrations(), account.Migrations())
}

// Rig is the assembly.
type Rig struct {
	consenttest.Rig
	Account *account.Service
	Age     *age.Service
	Eraser  *Eraser
	Desk    *Desk
}

// Desk notes what was corrected: handle and columns.
type Desk struct{ Corrected []string }

// CorrectedTx fills account.Corrections.
func (d *Desk) CorrectedTx(_ context.Context, _ *db.Tx, subject id.Handle, columns ...string) error {
	d.Corrected = append(d.Corrected, string(subject)+" "+strings.Join(columns, " "))
	return nil
}

// Eraser notes whose data are to be erased, and who is restricted.
type Eraser struct{ Opened, Restricted []id.Handle }

// RestrictMinorTx fills age.Eraser.
func (e *Eraser) RestrictMinorTx(_ context.Context, _ *db.Tx, subject id.Handle, _ string) error {
	e.Restricted = append(e.Restricted, subject)
	return nil
}

// EraseMinorTx fills age.Eraser.
func (e *Eraser) EraseMinorTx(_ context.Context, _ *db.Tx, subject id.Handle, _ string) (fresh bool, err error) {
	if slices.Contains(e.Opened, subject) {
		return false, nil
	}
	e.Opened = append(e.Opened, subject)
	return true, nil
}

// hasher makes hashes of 64 KiB: the real ones take a third of a second under
// the race detector. That the program uses the real ones is held by
// internal/app.
var hasher = password.NewHasherAt(2, 64)

// New assembles on d, migrated with Migrations.
func New(t testing.TB, d *db.DB, profile string, demo bool) Rig {
	t.Helper()
	return At(t, d, profile, demo, t.TempDir())
}

// At is New with the key store in a directory, as consenttest.At.
func At(t testing.TB, d *db.DB, profile string, demo bool, keys string) Rig {
	t.Helper()
	r := consenttest.At(t, d, profile, keys)
	eraser := &Eraser{}
	ages := age.New(age.Deps{
		DB: d, Clock: r.Clock, Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Statements: r.Consent, Eraser: eraser, Profile: profile,
	})
	r.Ages.Age = ages
	desk := &Desk{}
	s, err := account.New(account.Deps{
		Corrections: desk,
		Age:         ages, DB: d, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Audit: r.Audit,
		Consent: r.Consent, Vault: r.Vault, Hasher: hasher, Memory: 1, Demo: demo,
	})
	check(t, err)
	return Rig{r, s, ages, eraser, desk}
}

// Each runs fn on every engine with a rig in the profile mainland.
func Each(t *testing.T, fn func(t *testing.T, r Rig), more ...db.Migrations) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, New(t, d, consent.Mainland, false)) }, append(Migrations(), more...)...)
}

// Register registers a customer with Password.
func (r Rig) Register(t testing.TB, name string) account.Registered {
	t.Helper()
	ctx := context.Background()
	p, err := r.Consent.Prompt(ctx, "", consent.PlatformPolicy, "en")
	check(t, err)
	got, err := r.Account.Register(ctx, account.Registration{
		Name: name, Password: Password, Email: name + "@example.org", Locale: "en",
		ConsentToken: p.Token, Adult: true, Channel: "console", Source: From,
	})
	check(t, err)
	return got
}

// Login signs a person in by password.
func (r Rig) Login(t testing.TB, name string) account.Grant {
	t.Helper()
	g, err := r.Account.Login(context.Background(), account.LoginRequest{Name: name, Password: Password, Source: From})
	check(t, err)
	return g
}

// Customer registers and signs in.
func (r Rig) Customer(t testing.TB, name string) account.Principal {
	t.Helper()
	r.Register(t, name)
	return r.Login(t, name).Principal
}

// Code is the TOTP code of a secret at the rig's time plus d.
func (r Rig) Code(t testing.TB, secret string, d time.Duration) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, r.Clock.Now().Add(d))
	check(t, err)
	return c
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
