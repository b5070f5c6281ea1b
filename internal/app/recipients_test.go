package app

import (
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/residency"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
)

// TestThePoliciesListWhomTheDoorKnows holds clause SUP-3: the table of
// recipients in the texts is the registry, with nobody and no field left out.
func TestThePoliciesListWhomTheDoorKnows(t *testing.T) {
	t.Parallel()
	registry, err := egress.Load("mainland", false, map[string]egress.Override{
		"pay.epay": {Endpoint: "https://pay.example.org", LegalName: "Pay", Contact: "pay@example.org"},
	})
	must(t, err)
	listed := facts(config.Config{Profile: "mainland"}, registry).Recipients
	all := registry.Recipients()
	if len(listed) != len(all) {
		t.Fatalf("got %d recipients in the texts, want %d", len(listed), len(all))
	}
	for i, r := range all {
		row := listed[i]
		if row.Name != r.LegalName || row.Contact != r.Contact || row.Role != r.Role || row.Region != r.Region {
			t.Errorf("%s: got %+v", r.ID, row)
		}
		for _, op := range r.Ops {
			for _, f := range op.Fields {
				if !slices.Contains(row.Fields, f) {
					t.Errorf("%s: the texts do not name %s", r.ID, f)
				}
			}
		}
	}
}

// Whoever stands abroad is named to people before anything goes there, and so is
// each way to pay that has a consent of its own (clause LT-5.1b).
func TestEveryTransferAbroadHasAPurpose(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{consent.Mainland, consent.HongKong} {
		registry, err := egress.Load(profile, false, nil)
		must(t, err)
		abroad := registry.Abroad()
		if (profile == consent.HongKong) != (len(abroad) > 0) {
			t.Errorf("%s: %d recipients stand abroad", profile, len(abroad))
		}
		if ids := residency.Unnamed(profile, abroad); len(ids) > 0 {
			t.Errorf("%s: no purpose names what goes to %v", profile, ids)
		}
		unknown := egress.Recipient{ID: "pay.new", Role: "handler"}
		if ids := residency.Unnamed(profile, []egress.Recipient{unknown}); !slices.Equal(ids, []string{"pay.new"}) {
			t.Errorf("%s: a recipient that nobody named: got %v", profile, ids)
		}
	}
	purposes := consent.Purposes(consent.HongKong)
	has := func(id string) bool {
		return slices.ContainsFunc(purposes, func(p consent.Purpose) bool { return p.ID == id })
	}
	for _, p := range purposes {
		if way, ok := strings.CutPrefix(p.ID, "payment."); ok && p.Act && !has("crossborder.pay."+way) {
			t.Errorf("paying by %s has no purpose of its transfer", way)
		}
	}
}
