package openconnect

import (
	"strconv"
	"strings"
)

// Agent is the class of a client by its User-Agent. It may change only the name
// of the header for IPv6 DNS servers, the iOS route workaround and the form of
// the success document; never what a client is allowed.
type Agent int

// Classes of clients.
const (
	AgentUnknown         Agent = iota // gets IPv6 like the rest
	AgentOpenConnect                  // openconnect 4 and later, under any of its names
	AgentOpenConnectOld               // openconnect up to 3
	AgentAnyConnect                   // Cisco
	AgentAnyConnectApple              // Cisco on iOS
	AgentOneConnect                   // Clavister
	AgentAnyLink
	AgentIPPhone // Cisco IP phones
)

// agentPrefixes are tried in this order; the longer names come before those that
// they begin with or resemble.
var agentPrefixes = []struct {
	prefix string
	agent  Agent
}{
	{"Open AnyConnect VPN Agent", AgentOpenConnect},
	{"Cisco AnyConnect VPN Agent for Apple", AgentAnyConnectApple},
	{"OpenConnect VPN Agent", AgentOpenConnect},
	{"Cisco AnyConnect", AgentAnyConnect},
	{"AnyConnect-compatible OpenConnect", AgentOpenConnect},
	{"AnyConnect", AgentAnyConnect},
	{"Clavister OneConnect VPN", AgentOneConnect},
	{"AnyLink Secure Client", AgentAnyLink},
	{"Cisco SVC IPPhone Client", AgentIPPhone},
}

// ClassifyAgent returns the class of a User-Agent header.
func ClassifyAgent(userAgent string) Agent {
	for _, p := range agentPrefixes {
		if rest, ok := cutPrefixFold(userAgent, p.prefix); ok {
			if p.agent == AgentOpenConnect && oldVersion(rest) {
				return AgentOpenConnectOld
			}
			return p.agent
		}
	}
	return AgentUnknown
}

// oldVersion reads " v3.99" as old: the number before the dot is at most 3.
func oldVersion(rest string) bool {
	rest, ok := strings.CutPrefix(rest, " v")
	if !ok {
		return false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.Atoi(rest[:end])
	return err == nil && n <= 3
}

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// cisco tells whether IPv6 DNS servers go into X-CSTP-DNS-IP6. openconnect reads
// both headers; ocserv sends it the plain one.
func (a Agent) cisco() bool { return a != AgentOpenConnect && a != AgentOpenConnectOld }
