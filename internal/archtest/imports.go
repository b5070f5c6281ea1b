package archtest

import (
	"io/fs"
	"regexp"
	"strings"
)

// mayImport is the table of docs/ARCHITECTURE.md: which directories under
// internal the non-test files of a directory may import, besides itself.
var mayImport = map[string][]string{
	"platform":  {},
	"protocol":  {"platform/errs"},
	"fdwait":    {},
	"tun":       {"fdwait"},
	"nft":       {},
	"gwlink":    {"platform/errs", "platform/field"},
	"netio":     {"protocol", "tun", "fdwait"},
	"control":   {"platform", "gwlink"},
	"dataplane": {"platform", "protocol", "tun", "netio", "gwlink", "nft"},
	"client":    {"platform", "protocol", "tun", "netio", "nft"},
	"provider":  {"platform", "control"},
	"simulator": {"platform", "control"},
	"web":       {"platform", "control", "gwlink"},
	"app":       {"platform", "protocol", "tun", "netio", "gwlink", "control", "dataplane", "provider", "simulator", "web"},
}

// commandsMayImport is the same for cmd: a command assembles nothing itself.
var commandsMayImport = map[string][]string{
	"skybridge":         {"app", "platform"},
	"skyconnect":        {"client", "platform", "tun"},
	"skyconnect-window": {"client", "platform"},
	"skybridge-verify":  {},
}

// toolsMayImport is the same for tools, which are not shipped.
var toolsMayImport = map[string][]string{
	"release": {"client"},
}

// Imports finds imports that the table forbids. Test code may import
// anything: an honest simulator and the adapter it serves meet in tests.
func Imports(tree fs.FS) ([]Violation, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, s := range all {
		if s.isTest() {
			continue
		}
		for _, dir := range s.internalImports() {
			if why := forbidden(s.dir(), dir); why != "" {
				found = append(found, violation(s.path, "imports %s: %s", dir, why))
			}
		}
	}
	return found, nil
}

// forbidden says why a file in from may not import to; empty when it may.
func forbidden(from, to string) string {
	target, ok := strings.CutPrefix(to, "internal/")
	if !ok {
		return "only internal packages are imported"
	}
	area, allowed, ok := areaOf(from)
	switch {
	case !ok:
		return from + " has no row in the table of imports"
	case under(to, area) || underAny(target, allowed...) != "":
		return ""
	default:
		return area + " may not know it"
	}
}

// areaOf finds the row of the table that a directory falls under.
func areaOf(dir string) (area string, allowed []string, ok bool) {
	parts := strings.Split(dir, "/")
	if len(parts) < 2 {
		return dir, nil, false
	}
	switch parts[0] {
	case "internal":
		allowed, ok = mayImport[parts[1]]
	case "cmd":
		allowed, ok = commandsMayImport[parts[1]]
	case "tools":
		allowed, ok = toolsMayImport[parts[1]]
	}
	return parts[0] + "/" + parts[1], allowed, ok
}

// moduleOrder is the order of the business modules: each may import earlier
// ones only. docs/ARCHITECTURE.md says why.
var moduleOrder = []string{
	"audit",
	"clause",
	"consent",
	"agreement",
	"residency",
	"age",
	"account",
	"contact",
	"notify",
	"realname",
	"catalog",
	"ledger",
	"fleet",
	"vpn",
	"service",
	"order",
	"payment",
	"invoice",
	"ticket",
	"incident",
	"privacy",
	"erasure",
	"legalorder",
	"succession",
	"proof",
	"evidence",
	"report",
}

func rank(module string) int {
	for i, m := range moduleOrder {
		if m == module {
			return i
		}
	}
	return -1
}

// ModuleOrder finds business modules that import a later one or have no place
// in the order.
func ModuleOrder(tree fs.FS) ([]Violation, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, s := range all {
		module, ok := controlModule(s.dir())
		if !ok || s.isTest() {
			continue
		}
		if rank(module) < 0 {
			found = append(found, violation(s.path, "module %s has no place in the order", module))
			continue
		}
		for _, dir := range s.internalImports() {
			if other, ok := controlModule(dir); ok && other != module && rank(other) >= rank(module) {
				found = append(found, violation(s.path, "%s imports %s, which comes later", module, other))
			}
		}
	}
	return found, nil
}

var writtenOrder = regexp.MustCompile(`(?s)each imports earlier ones only: ([a-z,\s]+?)[\s]*(?:\(|\.)`)

// WrittenOrder compares the order that docs/ARCHITECTURE.md tells with that of
// the modules there are.
func WrittenOrder(tree fs.FS) ([]Violation, error) {
	const page = "docs/ARCHITECTURE.md"
	text, err := fs.ReadFile(tree, page)
	if err != nil {
		return nil, err
	}
	var there []string
	for _, m := range moduleOrder {
		if _, err := fs.Stat(tree, "internal/control/"+m); err == nil {
			there = append(there, m)
		}
	}
	written := writtenOrder.FindSubmatch(text)
	if written == nil {
		return []Violation{violation(page, "does not tell the order of the modules")}, nil
	}
	told := strings.Join(strings.Fields(string(written[1])), " ")
	if want := strings.Join(there, ", "); told != want {
		return []Violation{violation(page, "tells the order %s; it is %s", told, want)}, nil
	}
	return nil, nil
}

// controlModule names the business module that a directory belongs to.
func controlModule(dir string) (string, bool) {
	rest, ok := strings.CutPrefix(dir, "internal/control/")
	if !ok {
		return "", false
	}
	module, _, _ := strings.Cut(rest, "/")
	return module, true
}
