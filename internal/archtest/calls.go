package archtest

import (
	"go/ast"
	"io/fs"
	"slices"
	"strings"
)

// dialers are the names by which the standard library opens a connection or
// asks a resolver. An http.Client made by hand is a dialer too.
var dialers = map[string][]string{
	"net":        {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Lookup*", "Resolve*", "DefaultResolver", "Resolver"},
	"net/http":   {"Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport", "Client", "Transport"},
	"net/smtp":   {"Dial", "SendMail", "NewClient"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
}

// controlPlane are the directories that may reach the world through
// platform/egress alone. The data plane moves packets and reports to control;
// simulators and tests talk to what they are given.
var controlPlane = []string{"internal/control", "internal/platform", "internal/provider", "internal/web", "internal/app"}

// outsiders are the exceptions, by the beginning of their path: egress is the
// one door; the demonstration's simulators and its customer are processes of
// their own, outside of the service.
var outsiders = []string{"internal/platform/egress/", "internal/app/demo", "internal/app/simulators", "internal/app/walk/"}

func isOutsider(path string) bool {
	return slices.ContainsFunc(outsiders, func(begin string) bool { return strings.HasPrefix(path, begin) })
}

// Dials finds places in the control plane that could reach the world around
// platform/egress.
func Dials(tree fs.FS) ([]Violation, error) {
	return uses(tree, func(s source) map[string][]string {
		if s.isTest() || underAny(s.dir(), controlPlane...) == "" || isOutsider(s.path) {
			return nil
		}
		return dialers
	}, "dials around platform/egress")
}

// clocks are the ways to read the time, timers the ways to wait for it.
var (
	clocks = []string{"Now", "Since", "Until", "Sleep"}
	timers = []string{"After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}
)

// Clocks finds business rules and wire code that read the time themselves: it
// is a parameter, or comes from platform/clock. Services of the business may
// wait on a timer; pure code may not.
func Clocks(tree fs.FS) ([]Violation, error) {
	return uses(tree, func(s source) map[string][]string {
		switch {
		case s.isTest():
			return nil
		case underAny(s.dir(), "internal/protocol", "internal/dataplane/session") != "":
			return map[string][]string{"time": append(timers, clocks...)}
		case underAny(s.dir(), "internal/control", "internal/gwlink") != "":
			return map[string][]string{"time": clocks}
		}
		return nil
	}, "reads the clock itself")
}

// cookieMakers are how the standard library sets a cookie.
var cookieMakers = map[string][]string{"net/http": {"SetCookie", "Cookie"}}

// Cookies finds cookies that are made around the registry: internal/web/cookie
// alone sets any. The tunnel's own, in the data plane, is no cookie of the site.
func Cookies(tree fs.FS) ([]Violation, error) {
	return uses(tree, func(s source) map[string][]string {
		if s.isTest() || underAny(s.dir(), controlPlane...) == "" || under(s.dir(), "internal/web/cookie") || isOutsider(s.path) {
			return nil
		}
		return cookieMakers
	}, "makes a cookie around internal/web/cookie")
}

// sockets are what pure wire code has no business with.
var sockets = map[string][]string{
	"net":        {"Dial*", "Listen*", "Conn", "PacketConn", "UDPConn", "TCPConn", "Listener"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer", "Listen", "Conn", "Server", "Client"},
	"sync":       {"WaitGroup"},
}

// PureProtocol finds sockets and goroutines in the wire code, where there are
// to be none: bytes in, bytes out.
func PureProtocol(tree fs.FS) ([]Violation, error) {
	found, err := uses(tree, func(s source) map[string][]string {
		if s.isTest() || !under(s.dir(), "internal/protocol") {
			return nil
		}
		return sockets
	}, "is no wire code")
	if err != nil {
		return nil, err
	}
	goroutines, err := goStatements(tree)
	return append(found, goroutines...), err
}

func goStatements(tree fs.FS) ([]Violation, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, s := range all {
		if s.isTest() || underAny(s.dir(), "internal/protocol", "internal/dataplane/session") == "" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if _, ok := n.(*ast.GoStmt); ok {
				found = append(found, violation(s.at(n), "a goroutine in pure code"))
			}
			return true
		})
	}
	return found, nil
}

// uses finds uses of forbidden names; forbid says which are forbidden where.
func uses(tree fs.FS, forbid func(source) map[string][]string, what string) ([]Violation, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, s := range all {
		names := forbid(s)
		if names == nil {
			continue
		}
		s.selectors(func(n ast.Node, pkg, name string) {
			if matches(names[pkg], name) {
				found = append(found, violation(s.at(n), "%s.%s %s", pkg, name, what))
			}
		})
	}
	return found, nil
}

// matches compares a name with patterns that may end in a star.
func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		prefix, open := strings.CutSuffix(p, "*")
		if name == p || open && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
