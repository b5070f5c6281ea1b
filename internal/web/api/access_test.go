package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func TestAccessRulesRoundTrip(t *testing.T) {
	t.Parallel()
	rules := []ACLRule{
		{Action: "allow", Protocol: "tcp", Destination: "10.77.0.0/24", Ports: "22,8000-8099", Comment: "ssh"},
		{Action: "deny", Protocol: "any"},
	}
	got, err := fromRules(rules)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rules, Items(got, toRule)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestMalformedAccessRulesAreNamed(t *testing.T) {
	t.Parallel()
	good := ACLRule{Action: "allow", Protocol: "tcp"}
	for _, bad := range []ACLRule{
		{Action: "allow", Protocol: "tcp", Ports: "x"},
		{Action: "allow", Protocol: "tcp", Ports: "1-"},
		{Action: "allow", Protocol: "tcp", Ports: "70000"},
		{Action: "allow", Protocol: "tcp", Ports: "1,,2"},
		{Action: "allow", Protocol: "tcp", Destination: "10.77.0.0"},
	} {
		if _, err := fromRules([]ACLRule{good, bad}); errs.CodeOf(err) != "vpn.acl_invalid" {
			t.Errorf("%+v: got %v, want vpn.acl_invalid", bad, err)
		}
	}
}
