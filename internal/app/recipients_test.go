package app

import (
	"slices"
	"testing"

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
