package residency_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/residency"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

var ctx = context.Background()

const idvConsent = "crossborder.idv.aliyun"

type rig struct {
	consenttest.Rig
	s   *residency.Service
	log *bytes.Buffer
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mechanism(kind string) residency.Mechanism {
	return residency.Mechanism{
		ID: "m1", Type: kind, FilingNo: "F-1", From: consenttest.Start.AddDate(0, -1, 0), To: consenttest.Start.AddDate(2, 0, 0),
		Scope: []string{"idv.aliyun"}, PIA: "PIA-007",
	}
}

func (r rig) deps(profile string, stores []residency.Store, all ...residency.Mechanism) residency.Deps {
	return residency.Deps{
		DB: r.DB, Clock: r.Clock, Queue: job.New(r.DB, r.Clock, slog.New(slog.DiscardHandler)), Log: slog.New(slog.NewTextHandler(r.log, nil)), Audit: r.Audit, Consent: r.Consent,
		Profile: profile, Attestor: "the operator", Stores: stores, Mechanisms: all,
	}
}

// each runs a test on both engines with a deployment in Hong Kong.
func each(t *testing.T, kind string, fn func(*testing.T, rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := rig{Rig: consenttest.New(t, d, consent.HongKong), log: &bytes.Buffer{}}
		var err error
		r.s, err = residency.New(r.deps(consent.HongKong, []residency.Store{{Kind: "database", Region: "HK"}, {Kind: "keystore", Region: "HK"}}, mechanism(kind)))
		must(t, err)
		fn(t, r)
	}, append(consenttest.Migrations(), residency.Migrations())...)
}

func TestAStoreElsewhereIsNoStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ profile, region, says string }{
		{consent.Mainland, "CN-mainland", ""},
		{consent.Mainland, "HK", "stands in \"HK\""},
		{consent.Mainland, "", "residency.replicas must be CN-mainland"},
		{consent.Mainland, "moon", "stands in \"moon\""},
		{consent.HongKong, "HK", ""},
		{consent.HongKong, "CN-mainland", "keeps personal data in HK only"},
	} {
		err := residency.Place(c.profile, residency.Store{Kind: "replicas", Region: c.region})
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, residency.ErrRegion) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s, %q: got %v, want %q", c.profile, c.region, err, c.says)
		}
	}
	each(t, "exempt_contract", func(t *testing.T, r rig) {
		bad := map[string]func(*residency.Deps){
			"nobody vouches": func(d *residency.Deps) { d.Attestor = "" },
			"a store abroad": func(d *residency.Deps) {
				d.Stores = append(d.Stores, residency.Store{Kind: "backup_main", Region: "CN-mainland"})
			},
			"an unknown type": func(d *residency.Deps) { d.Mechanisms[0].Type = "handshake" },
			"no filing":       func(d *residency.Deps) { d.Mechanisms[0].Type, d.Mechanisms[0].FilingNo = "assessment", "" },
			"no days":         func(d *residency.Deps) { d.Mechanisms[0].To = time.Time{} },
			"no scope":        func(d *residency.Deps) { d.Mechanisms[0].Scope = nil },
			"no assessment":   func(d *residency.Deps) { d.Mechanisms[0].PIA = "" },
		}
		for name, change := range bad {
			d := r.deps(consent.HongKong, []residency.Store{{Kind: "database", Region: "HK"}}, mechanism("assessment"))
			change(&d)
			if _, err := residency.New(d); !errors.Is(err, residency.ErrRegion) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

func TestWithoutAnAttestationWritesStop(t *testing.T) {
	t.Parallel()
	each(t, "exempt_contract", func(t *testing.T, r rig) {
		stale := func(when string, want bool) {
			t.Helper()
			if err := r.s.Fresh(ctx); (errs.CodeOf(err) == "residency.not_attested") != want || !want && err != nil {
				t.Errorf("%s: got %v, want stopped %v", when, err, want)
			}
		}
		stale("before the first", true)
		must(t, r.s.Attest(ctx))
		stale("at once", false)
		r.Clock.Advance(residency.Patience)
		stale("after 48 hours", false)
		r.Clock.Advance(time.Second)
		stale("a second later", true)
		must(t, r.s.Attest(ctx)) // as another process does
		stale("after the next", false)
		// A store that is new in the configuration was never vouched for.
		more, err := residency.New(r.deps(consent.HongKong, []residency.Store{{Kind: "database", Region: "HK"}, {Kind: "replicas", Region: "HK"}}))
		must(t, err)
		if err := more.Fresh(ctx); errs.CodeOf(err) != "residency.not_attested" {
			t.Errorf("a new store: got %v", err)
		}
	})
}

func (r rig) agree(t *testing.T, subject id.Handle) {
	t.Helper()
	r.Rig.Grant(t, subject, "ses_1", idvConsent)
}

func export(subject id.Handle, sensitive bool) egress.Transfer {
	return egress.Transfer{Subject: subject, Recipient: "idv.aliyun", Region: "CN-mainland", Mechanism: "m1", Sensitive: sensitive}
}

func TestATransferNeedsMechanismAndConsent(t *testing.T) {
	t.Parallel()
	each(t, "standard_contract", func(t *testing.T, r rig) {
		r.agree(t, "sub_a")
		must(t, r.s.Transfer(ctx, export("sub_a", true)))
		must(t, r.s.Transfer(ctx, export("sub_a", true)))
		for name, c := range map[string]struct {
			t    egress.Transfer
			code string
		}{
			"no consent":        {export("sub_b", true), "consent.gate_closed"},
			"own, no consent":   {egress.Transfer{Subject: "sub_a", Recipient: "idv.aliyun", Role: "infra", Mechanism: "m1"}, "consent.gate_closed"},
			"another recipient": {egress.Transfer{Subject: "sub_a", Recipient: "pay.epay", Mechanism: "m1"}, "residency.no_mechanism"},
			"another mechanism": {egress.Transfer{Subject: "sub_a", Recipient: "idv.aliyun", Mechanism: "m2"}, "residency.no_mechanism"},
		} {
			if err := r.s.Transfer(ctx, c.t); errs.CodeOf(err) != c.code {
				t.Errorf("%s: got %v, want %s", name, err, c.code)
			}
		}
		all, err := r.s.Counters(ctx)
		must(t, err)
		if len(all) != 2 || all[0].People != 1 || all[1].People != 1 || !all[1].Sensitive || all[0].Next != 10_000 {
			t.Errorf("got %+v: the person counts once, the refused never", all)
		}
		r.Clock.Advance(3 * 365 * 24 * time.Hour)
		if err := r.s.Transfer(ctx, export("sub_a", true)); errs.CodeOf(err) != "residency.no_mechanism" {
			t.Errorf("after the mechanism's last day: got %v", err)
		}
	})
}

func TestTheCountOfPeopleIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind      string
		sensitive bool
		before    int64 // people counted before; the next is refused or not
		refused   bool
	}{
		{"exempt_volume", false, 99_999, false},
		{"exempt_volume", false, 100_000, true},
		{"exempt_volume", true, 0, true},
		{"standard_contract", true, 9_999, false},
		{"standard_contract", true, 10_000, true},
		{"certification", false, 1_000_000, true},
		{"exempt_contract", true, 5_000_000, false},
		{"assessment", true, 5_000_000, false},
	} {
		t.Run(fmt.Sprint(c.kind, c.sensitive, c.before), func(t *testing.T) {
			t.Parallel()
			each(t, c.kind, func(t *testing.T, r rig) {
				year := r.Clock.Now().In(time.FixedZone("", 8*3600)).Year()
				must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
					_, err := tx.Exec(ctx, "INSERT INTO residency_count (year, sensitive, people) VALUES ($1, $2, $3)", year, db.Bool(c.sensitive), c.before)
					return err
				}))
				r.agree(t, "sub_a")
				err := r.s.Transfer(ctx, export("sub_a", c.sensitive))
				if (errs.CodeOf(err) == "residency.volume") != c.refused || !c.refused && err != nil {
					t.Errorf("got %v, want refused %v", err, c.refused)
				}
				all, err := r.s.Counters(ctx)
				must(t, err)
				if last := all[len(all)-1]; c.refused && last.People != c.before {
					t.Errorf("a refused person was counted: %+v", last)
				}
			})
		})
	}
}

func TestStepsAreAlarms(t *testing.T) {
	t.Parallel()
	each(t, "assessment", func(t *testing.T, r rig) {
		year := r.Clock.Now().In(time.FixedZone("", 8*3600)).Year()
		r.agree(t, "sub_a")
		for i, before := range []int64{7_999, 9_999, 5} {
			must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
				if _, err := tx.Exec(ctx, "DELETE FROM residency_export"); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "INSERT INTO residency_count (year, sensitive, people) VALUES ($1, 0, $2) ON CONFLICT (year, sensitive) DO UPDATE SET people = $2", year, before)
				return err
			}))
			must(t, r.s.Transfer(ctx, export("sub_a", false)))
			leaves, err := r.Audit.Leaves(ctx, audit.Filter{Type: "residency.step"})
			must(t, err)
			if want := min(i+1, 2); len(leaves) != want || strings.Count(r.log.String(), "left the region") != want {
				t.Errorf("after %d people: got %d leaves, want %d", before+1, len(leaves), want)
			}
		}
	})
}

// TestACrossBorderNoticeNamesTheSixItems of PIPL 39: name, contact, purpose,
// method, kinds, and how rights are exercised.
func TestACrossBorderNoticeNamesTheSixItems(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range consent.Purposes(consent.HongKong) {
		if p.Kind != consent.SeparateCrossborder {
			continue
		}
		seen++
		for _, want := range []string{"接收方", "联系方式", "处理目的", "处理方式", "信息种类", "行使权利"} {
			if !strings.Contains(p.Chinese, want) {
				t.Errorf("%s does not name %s", p.ID, want)
			}
		}
		for _, want := range []string{"Recipient", "contact", "Purpose", "Method", "Kinds", "exercise"} {
			if !strings.Contains(p.English, want) {
				t.Errorf("%s does not name %s", p.ID, want)
			}
		}
	}
	if seen != 6 {
		t.Errorf("got %d notices, want 6", seen)
	}
}
