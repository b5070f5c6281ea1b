package vpn

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// Limits of access lists and trusted networks.
const (
	MaxACLRules        = 200 // section 8.4
	maxPortRanges      = 15
	maxComment         = 100
	MaxTrustedNetworks = 100
)

// checkAccess holds the access list and the trusted networks to section 4.7.
func (c Settings) checkAccess() error {
	if len(c.ACLRules) > MaxACLRules {
		return ErrACL.With("rule", MaxACLRules+1)
	}
	for i, r := range c.ACLRules {
		if !r.valid() {
			return ErrACL.With("rule", i+1)
		}
	}
	if len(c.TrustedNetworks) > MaxTrustedNetworks {
		return ErrTrusted.With("network", MaxTrustedNetworks+1)
	}
	for i, p := range c.TrustedNetworks {
		if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() {
			return ErrTrusted.With("network", i+1)
		}
	}
	return nil
}

func (r ACLRule) valid() bool {
	switch r.Protocol {
	case ProtocolAny, "icmp":
		if len(r.Ports) > 0 {
			return false
		}
	case "tcp", "udp":
	default:
		return false
	}
	if r.Destination.IsValid() && (r.Destination != r.Destination.Masked() || r.Destination.Addr().Is4In6()) || len(r.Ports) > maxPortRanges {
		return false
	}
	for _, p := range r.Ports {
		if p.From < 1 || p.From > p.To {
			return false
		}
	}
	return utf8.RuneCountInString(r.Comment) <= maxComment && !strings.ContainsFunc(r.Comment, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// wireACL writes an access list in the words of the contract with the nodes.
func wireACL(rules []ACLRule) (all []gwlink.ACLRule) {
	for _, r := range rules {
		w := gwlink.ACLRule{Allow: r.Allow, Protocol: r.Protocol, Destination: r.Destination}
		if w.Protocol == ProtocolAny {
			w.Protocol = ""
		}
		for _, p := range r.Ports {
			w.Ports = append(w.Ports, gwlink.PortRange(p))
		}
		all = append(all, w)
	}
	return all
}

// trusts tells whether logins are taken from a source.
func (c Settings) trusts(source netip.Addr) bool {
	source = source.Unmap().WithZone("")
	for _, p := range c.TrustedNetworks {
		if p.Contains(source) {
			return true
		}
	}
	return len(c.TrustedNetworks) == 0
}
