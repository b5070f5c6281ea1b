package openconnect

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

func addresses(values []string) []netip.Addr {
	var out []netip.Addr
	for _, v := range values {
		v, _, _ = strings.Cut(strings.TrimSpace(v), "/")
		if a, err := netip.ParseAddr(v); err == nil && a.Zone() == "" && len(out) < maxAddresses {
			out = append(out, a.Unmap())
		}
	}
	return out
}

// maskBits is the length of a dotted mask; 32 when it makes no sense.
func maskBits(mask string) int {
	ip := net.ParseIP(mask).To4()
	if ip == nil {
		return 32
	}
	n, size := net.IPMask(ip).Size()
	if size == 0 {
		return 32
	}
	return n
}

// routes reads networks with a dotted mask or a length.
func routes(values []string) []netip.Prefix {
	var out []netip.Prefix
	for _, v := range values {
		addr, mask, _ := strings.Cut(v, "/")
		a, err := netip.ParseAddr(addr)
		if err != nil || a.Zone() != "" || len(out) == maxRoutes {
			continue
		}
		bits := a.BitLen()
		if n, err := strconv.Atoi(mask); err == nil {
			bits = n
		} else if a.Is4() {
			bits = maskBits(mask)
		}
		if p, err := a.Prefix(bits); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// domains reads names that stand one or several in a value. They go to resolvers
// and into files, so that only letters, digits, "-", "_" and "." are names.
func domains(values []string) []string {
	var out []string
	for _, v := range values {
		for _, d := range strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' }) {
			if d = strings.ToLower(strings.Trim(d, ".")); plainDomain(d) && len(out) < maxDomains {
				out = append(out, d)
			}
		}
	}
	return out
}

func plainDomain(s string) bool {
	if len(s) > maxDomainLen {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// duration reads seconds; 0 for what is none, as "none".
func duration(h http.Header, name string) time.Duration {
	n, err := strconv.ParseInt(h.Get(name), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxTime)
}

func isTrue(h http.Header, name string) bool { return strings.EqualFold(h.Get(name), "true") }
