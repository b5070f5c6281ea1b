package archtest

import (
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// rules are those that need nothing but the tree.
var rules = map[string]rule{
	"imports": Imports, "windows": Windows, "module order": ModuleOrder, "written order": WrittenOrder, "package comments": PackageComments,
	"dials": Dials, "cookies": Cookies, "browser stores": BrowserStores, "clocks": Clocks, "pure protocol": PureProtocol,
	"skipped tests": SkippedTests, "build tags": BuildTags,
	"table prefixes": TablePrefixes, "foreign tables": ForeignTables, "SQL outside modules": SQLOutsideModules,
	"documents": Docs, "decisions": Decisions, "holdings": describedHoldings, "traces": machineTraces, "translations": Translations,
}

func TestTreeKeepsItsRules(t *testing.T) {
	t.Parallel()
	tree := os.DirFS(root(t))
	for name, r := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := r(tree)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range found {
				t.Error(v)
			}
		})
	}
}

// The data plane and the client hold no database, and cannot by accident.
func TestDataPlaneLinksNoDatabase(t *testing.T) {
	t.Parallel()
	patterns := []string{"./internal/dataplane/...", "./internal/protocol/...", "./internal/tun/...", "./internal/netio/...", "./internal/gwlink/..."}
	if _, err := os.Stat(filepath.Join(root(t), "internal/client")); err == nil {
		patterns = append(patterns, "./internal/client/...")
	}
	found, err := Links(root(t), patterns, "database/sql", Module+"/internal/control")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

// The window is drawn into a list of operations; only its command links the
// system's libraries, which need cgo.
func TestTheWindowIsPureGo(t *testing.T) {
	t.Parallel()
	found, err := Links(root(t), []string{"./" + windowDir}, "gioui.org/app", "gioui.org/gpu")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

// machineTraces asks this machine what the tree must not name: the place of
// the checkout and the hosts of registries that are not the public ones.
func machineTraces(tree fs.FS) ([]Violation, error) {
	checkout, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	needles := []string{checkout}
	if parent := filepath.Dir(checkout); !commonDirs[parent] {
		needles = append(needles, parent+"/")
	}
	return Traces(tree, append(needles, registries()...))
}

// commonDirs are the same on every machine; to name them betrays nothing.
var commonDirs = map[string]bool{"/": true, "/tmp": true, "/root": true, "/home": true, "/usr/src": true, "/srv": true, "/opt": true}

var publicHosts = map[string]bool{"proxy.golang.org": true, "sum.golang.org": true, "registry.npmjs.org": true, "deb.debian.org": true, "security.debian.org": true, "localhost": true, "127.0.0.1": true}

func registries() []string {
	var said []string
	for _, command := range [][]string{{"go", "env", "GOPROXY", "GOSUMDB"}, {"npm", "config", "get", "registry"}} {
		// A machine without npm has no npm registry to name.
		if out, err := exec.Command(command[0], command[1:]...).Output(); err == nil {
			said = append(said, strings.FieldsFunc(string(out), func(r rune) bool { return strings.ContainsRune(", |\n", r) })...)
		}
	}
	var hosts []string
	for _, s := range said {
		if u, err := url.Parse(s); err == nil && u.Hostname() != "" && !publicHosts[u.Hostname()] {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("the root of the module is not where it was: %v", err)
	}
	return dir
}
