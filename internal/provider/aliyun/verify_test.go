package aliyun_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/agreement"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/realname/realnametest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/aliyun"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/aliyun"
)

// TestAVerificationFromConsentToDisclosure walks the whole way with every real
// part: prompt, act, sealed values, register, signed and encrypted call,
// decision, and what the person sees afterwards.
func TestAVerificationFromConsentToDisclosure(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
		rig := consenttest.New(t, d, "mainland")
		sim, err := simulator.New(simulator.Config{AccessKeyID: "LTAIdemo", AccessKeySecret: "secret", Clock: rig.Clock})
		must(t, err)
		server := httptest.NewServer(sim)
		t.Cleanup(server.Close)
		registry, err := egress.Load("mainland", true, map[string]egress.Override{"idv.aliyun": {Endpoint: server.URL}})
		must(t, err)
		papers := agreement.New(agreement.Deps{DB: d, Clock: rig.Clock, Queue: rig.Queue, Log: quiet, Audit: rig.Audit, Consent: rig.Consent, Registry: registry})
		must(t, papers.SeedDemo(ctx))
		door := egress.New(egress.Deps{Registry: registry, Ledger: rig.Audit, Gate: rig.Consent, Papers: papers, Clock: rig.Clock})
		checker, err := aliyun.New(aliyun.Config{AccessKeyID: "LTAIdemo", AccessKeySecret: "secret", PublicKey: sim.PublicKey(), Egress: door, Clock: rig.Clock})
		must(t, err)
		s := realname.New(realname.Deps{
			DB: d, Clock: rig.Clock, Queue: rig.Queue, Log: quiet, Audit: rig.Audit, Vault: rig.Vault,
			Checker: checker, Consent: rig.Consent, Ages: &realnametest.Ages{Clock: rig.Clock, Profile: "mainland"}, Profile: "mainland",
		})
		p := account.Principal{Account: "acc_1", Subject: "sub_1", Session: "ses_1"}

		prompt, err := rig.Consent.Prompt(ctx, p.Session, "realname", "zh-CN")
		must(t, err)
		in := realname.Submission{
			Name: "王小明", Number: realnametest.Number(time.Date(1990, 5, 5, 0, 0, 0, 0, time.UTC), 7),
			ConsentToken: prompt.Token, Locale: "zh-CN",
		}
		_, err = s.Submit(ctx, p, in)
		must(t, err)
		must(t, rig.Queue.Drain(ctx))
		v, err := s.Require(ctx, "acc_1")
		if err != nil || v.Account() != "acc_1" {
			t.Fatalf("got %+v, %v", v, err)
		}
		calls := sim.Calls()
		if len(calls) != 1 || calls[0].BizCode != "1" {
			t.Errorf("the source saw %+v", calls)
		}
		disclosed, err := rig.Audit.Disclosures(ctx, "sub_1", "", 500)
		must(t, err)
		if len(disclosed) != 1 || disclosed[0].Phase != "done" || disclosed[0].Op != "Id2MetaVerify" || len(disclosed[0].Fields) != 3 {
			t.Errorf("disclosures: %+v", disclosed)
		}
		reads, err := rig.Audit.Reads(ctx, "sub_1", audit.ReadFilter{})
		if err != nil || len(reads) != 1 || reads[0].Reader.Class != "job" {
			t.Errorf("reads: %+v, %v", reads, err)
		}
		// The token served once; withdrawing ends the proof at once.
		if _, err := s.Submit(ctx, account.Principal{Account: "acc_2", Subject: "sub_2", Session: "ses_2"}, in); err == nil {
			t.Error("a used token of somebody else was accepted")
		}
		_, err = rig.Consent.Withdraw(ctx, consent.Act{Subject: "sub_1", Purpose: "realname"})
		must(t, err)
		if _, err := s.Require(ctx, "acc_1"); err == nil {
			t.Error("still verified after the withdrawal")
		}
		report, err := rig.Audit.Verify(ctx)
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("the log: %+v, %v", report.Problems, err)
		}
	}, append(consenttest.Migrations(), agreement.Migrations(), realname.Migrations())...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
