package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// bare is an installation that is no demonstration: nobody and nothing is in it.
func bare(t *testing.T) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Data = t.TempDir()
	cfg.Operator = config.Operator{
		Brand: "B", LegalName: "L", Address: "A", Mail: "m@b.example", PrivacyMail: "p@b.example",
		Phone: "1", DPO: "D", DPOContact: "d@b.example", Complaint: "c@b.example", Authority: "U",
	}
	cfg.Mail.Host, cfg.Mail.From = "mail.b.example", "no-reply@b.example"
	cfg.Residency = config.Residency{Attestor: "D", Database: "CN-mainland", KeyStore: "CN-mainland", Logs: "CN-mainland", Spool: "CN-mainland"}
	must(t, cfg.Validate())
	return cfg
}

func TestAnOperatorBegins(t *testing.T) {
	t.Parallel()
	ctx, cfg, log := context.Background(), bare(t), slog.New(slog.DiscardHandler)
	var first, second, published bytes.Buffer
	must(t, AddStaff(ctx, cfg, NewStaff{Name: "ada", Email: "ada@b.example", Permissions: []string{"order.read"}}, &first, log))
	if s := first.String(); !strings.Contains(s, "user      ada\n") || !strings.Contains(s, "factor    otpauth://totp/") {
		t.Errorf("the first time: got %q, want user, password and factor", s)
	}
	must(t, AddStaff(ctx, cfg, NewStaff{Name: "ada", Email: "ada@b.example", Roles: []string{"system", "desk"}}, &second, log))
	if s := second.String(); strings.Contains(s, "password") || !strings.Contains(s, "already") {
		t.Errorf("the second time: got %q, want no secret", s)
	}
	if err := AddStaff(ctx, cfg, NewStaff{Name: "bob", Email: "bob@b.example", Permissions: []string{"everything"}}, &second, log); err == nil || !strings.Contains(err.Error(), "order.read") {
		t.Errorf("a wrong permission: got %v, want an error that lists them", err)
	}
	var reset, disabled bytes.Buffer
	must(t, ResetStaff(ctx, cfg, "ada", &reset, log))
	if s := reset.String(); !strings.Contains(s, "password") || !strings.Contains(s, "factor    otpauth://totp/") || s == first.String() {
		t.Errorf("after a reset: got %q, want a new password and factor", s)
	}
	must(t, DisableStaff(ctx, cfg, "ada", &disabled, log))
	if err := DisableStaff(ctx, cfg, "eve", &disabled, log); !errors.Is(err, account.ErrNoStaff) {
		t.Errorf("an unknown name: got %v, want ErrNoStaff", err)
	}
	must(t, PublishCatalogue(ctx, cfg, "../control/catalog/demo.yaml", &published, log))
	if s := published.String(); s != "catalogue version 1 is in force\n" {
		t.Errorf("got %q, want version 1", s)
	}
}

func TestAWrongCatalogueIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "c.yaml")
	must(t, os.WriteFile(file, []byte("regionz: []\n"), 0o600))
	err := PublishCatalogue(context.Background(), bare(t), file, &bytes.Buffer{}, slog.New(slog.DiscardHandler))
	if !errors.Is(err, catalog.ErrFile) {
		t.Errorf("got %v, want ErrFile", err)
	}
}

func TestAnOperatorDrainsANodeAndBringsItBack(t *testing.T) {
	t.Parallel()
	ctx, cfg, log := context.Background(), bare(t), slog.New(slog.DiscardHandler)
	s, m, err := openInstallation(ctx, cfg, log)
	must(t, err)
	_, err = m.fleet.EnsureNode(ctx, fleet.NodeSpec{Name: "one", Region: "hk-1", Location: "HK"})
	must(t, errors.Join(err, s.close()))
	for _, step := range []struct {
		do   func(out io.Writer) error
		want string
	}{
		{func(out io.Writer) error { return ListNodes(ctx, cfg, out, log) }, "in service"},
		{func(out io.Writer) error { return DrainNode(ctx, cfg, "one", true, out, log) }, "one is draining"},
		{func(out io.Writer) error { return ListNodes(ctx, cfg, out, log) }, "draining"},
		{func(out io.Writer) error { return DrainNode(ctx, cfg, "one", false, out, log) }, "one is in service"},
	} {
		var out bytes.Buffer
		must(t, step.do(&out))
		if !strings.Contains(out.String(), step.want) {
			t.Errorf("got %q, want %q in it", out.String(), step.want)
		}
	}
	if err := DrainNode(ctx, cfg, "two", true, io.Discard, log); !errors.Is(err, fleet.ErrNodeNotFound) {
		t.Errorf("no such node: got %v", err)
	}
}

func TestAnOperatorDecidesWhatAnAccountAsksFor(t *testing.T) {
	t.Parallel()
	ctx, cfg, log := context.Background(), bare(t), slog.New(slog.DiscardHandler)
	s, m, err := openInstallation(ctx, cfg, log)
	must(t, err)
	who, err := m.account.EnsureStaff(ctx, account.Staff{Name: "eve", Email: "eve@example.com", Password: "Correct-Horse-9"})
	must(t, err)
	must(t, m.vpn.AskQuota(ctx, account.Principal{Account: who.Account, Subject: who.Subject}, vpn.QuotaCertificates, 150))
	must(t, s.close())
	decision := QuotaDecision{Account: string(who.Account), Name: vpn.QuotaCertificates, Limit: 120, Reason: "case 8"}
	declined, nobody := decision, decision
	declined.Decline, nobody.Account = true, "acc_none"
	for _, step := range []struct {
		do   func(out io.Writer) error
		want string
	}{
		{func(out io.Writer) error { return ListQuotaRequests(ctx, cfg, out, log) }, string(who.Account) + "  certificates   150"},
		{func(out io.Writer) error { return DecideQuota(ctx, cfg, declined, out, log) }, "is declined"},
		{func(out io.Writer) error { return DecideQuota(ctx, cfg, decision, out, log) }, "certificates is 120"},
	} {
		var out bytes.Buffer
		must(t, step.do(&out))
		if !strings.Contains(out.String(), step.want) {
			t.Errorf("got %q, want %q in it", out.String(), step.want)
		}
	}
	if err := DecideQuota(ctx, cfg, declined, io.Discard, log); !errors.Is(err, vpn.ErrQuotaRequest) {
		t.Errorf("a second answer: got %v, want ErrQuotaRequest", err)
	}
	if err := DecideQuota(ctx, cfg, nobody, io.Discard, log); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("an unknown account: got %v, want ErrNotFound", err)
	}
}
