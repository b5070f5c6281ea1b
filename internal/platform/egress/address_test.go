package egress

import (
	"net/netip"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{
		"8.8.8.8": true, "223.5.5.5": true, "2400:3200::1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "::1": false, "10.0.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fd00::1": false, "100.64.0.1": false, "100.127.255.255": false,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "ff02::1": false, "::": false,
		"192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false, "198.18.0.1": false, "240.0.0.1": false,
		"::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:db8::1": false,
	}
	for text, want := range cases {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestTheEmbeddedRegistryIsValidAndRefusesAHandlerWithoutConsent(t *testing.T) {
	t.Parallel()
	if _, err := parse(recipientsFile); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"handler without separate.share": "- {id: a, role: handler, region: HK, pia: P, ops: [{op: x, methods: [GET], path: /, purposes: [p], basis: contract, fields: [f]}]}",
		"unknown key":                    "- {id: a, role: infra, region: HK, pia: P, secret: s}",
		"no pia":                         "- {id: a, role: infra, region: HK, ops: [{op: x, mail: true, purposes: [p], basis: contract, fields: [f]}]}",
		"no fields":                      "- {id: a, role: infra, region: HK, pia: P, ops: [{op: x, mail: true, purposes: [p], basis: contract}]}",
		"twice":                          "- &a {id: a, role: infra, region: HK, pia: P, ops: [{op: x, mail: true, purposes: [p], basis: contract, fields: [f]}]}\n- *a",
	} {
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
