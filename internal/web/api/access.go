package api

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// ACLRule is one line of a server's access list. The first rule that matches a
// packet from a client decides; what comes back is not asked for.
type ACLRule struct {
	Action      string `json:"action" enum:"allow,deny"`
	Protocol    string `json:"protocol" enum:"any,tcp,udp,icmp"`
	Destination string `json:"destination" maxLength:"43" doc:"A network; empty = everywhere" example:"10.77.0.0/24"`
	Ports       string `json:"ports" maxLength:"200" doc:"Destination ports of TCP or UDP; empty = all" example:"80,443,8000-8099"`
	Comment     string `json:"comment" maxLength:"400"`
}

func toRule(r vpn.ACLRule) ACLRule {
	w := ACLRule{Action: action(r.Allow), Protocol: r.Protocol, Ports: portsText(r.Ports), Comment: r.Comment}
	if r.Destination.IsValid() {
		w.Destination = r.Destination.String()
	}
	return w
}

func action(allow bool) string {
	if allow {
		return "allow"
	}
	return "deny"
}

func fromRules(all []ACLRule) ([]vpn.ACLRule, error) {
	rules := make([]vpn.ACLRule, 0, len(all))
	for i, w := range all {
		r := vpn.ACLRule{Allow: w.Action == "allow", Protocol: w.Protocol, Comment: strings.TrimSpace(w.Comment)}
		var err error
		if d := strings.TrimSpace(w.Destination); d != "" {
			r.Destination, err = netip.ParsePrefix(d)
		}
		ports, ok := parsePorts(w.Ports)
		if err != nil || !ok {
			return nil, vpn.ErrACL.With("rule", i+1)
		}
		r.Ports = ports
		rules = append(rules, r)
	}
	return rules, nil
}

// parsePorts reads "80,443,8000-8099".
func parsePorts(text string) (all []vpn.PortRange, ok bool) {
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(text, ",") {
		low, high, ranged := strings.Cut(part, "-")
		from, err := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
		to, err2 := from, error(nil)
		if ranged {
			to, err2 = strconv.ParseUint(strings.TrimSpace(high), 10, 16)
		}
		if err != nil || err2 != nil {
			return nil, false
		}
		all = append(all, vpn.PortRange{From: uint16(from), To: uint16(to)})
	}
	return all, true
}

func portsText(all []vpn.PortRange) string {
	texts := make([]string, 0, len(all))
	for _, r := range all {
		t := strconv.Itoa(int(r.From))
		if r.To != r.From {
			t += "-" + strconv.Itoa(int(r.To))
		}
		texts = append(texts, t)
	}
	return strings.Join(texts, ",")
}

func fromNetworks(texts []string) ([]netip.Prefix, error) {
	all := make([]netip.Prefix, 0, len(texts))
	for i, t := range texts {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, vpn.ErrTrusted.With("network", i+1)
		}
		all = append(all, p)
	}
	return all, nil
}
