package archtest

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

type rule func(fs.FS) ([]Violation, error)

// planted trees: each rule finds in bad what wants says, one violation per
// entry, and nothing in good.
var planted = []struct {
	name      string
	rule      rule
	bad, good map[string]string
	wants     []string
}{
	{
		name: "control knows no transport", rule: Imports,
		bad:   map[string]string{"internal/control/order/a.go": importing("order", "internal/web/api")},
		good:  map[string]string{"internal/control/order/a.go": importing("order", "internal/platform/db", "internal/control/catalog", "internal/gwlink")},
		wants: []string{"internal/control may not know it"},
	},
	{
		name: "protocol knows errs at most", rule: Imports,
		bad:   map[string]string{"internal/protocol/dtls/a.go": importing("dtls", "internal/platform/clock")},
		good:  map[string]string{"internal/protocol/dtls/a.go": importing("dtls", "internal/platform/errs")},
		wants: []string{"internal/protocol may not know it"},
	},
	{
		name: "nobody knows an adapter", rule: Imports,
		bad: map[string]string{
			"internal/web/a.go":       importing("web", "internal/provider/epay"),
			"internal/dataplane/a.go": importing("dataplane", "internal/control/vpn"),
			"internal/platform/a.go":  importing("platform", "internal/control/vpn"),
			"internal/client/a.go":    importing("client", "internal/dataplane/session"),
		},
		good:  map[string]string{"internal/app/a.go": importing("app", "internal/provider/epay", "internal/simulator/epay", "internal/web")},
		wants: []string{"internal/client may not", "internal/dataplane may not", "internal/platform may not", "internal/web may not"},
	},
	{
		name: "a new directory needs a row", rule: Imports,
		bad:   map[string]string{"internal/helper/a.go": importing("helper", "internal/platform/db")},
		good:  map[string]string{"internal/platform/helper/a.go": importing("helper", "internal/platform/db")},
		wants: []string{"has no row"},
	},
	{
		name: "the verifier shares no code with the writer", rule: Imports,
		bad:   map[string]string{"cmd/skybridge-verify/main.go": importing("main", "internal/control/audit")},
		good:  map[string]string{"cmd/skybridge-verify/main.go": importing("main"), "cmd/skybridge/main.go": importing("main", "internal/app")},
		wants: []string{"cmd/skybridge-verify may not"},
	},
	{
		name: "a window is drawn in one place", rule: Windows,
		bad: map[string]string{
			"cmd/skyconnect/main.go":        importing("main", "internal/client/window"),
			"internal/app/a.go":             "package app\nimport _ \"gioui.org/layout\"\n",
			"internal/client/daemon/a.go":   importing("daemon", "internal/client/window/words"),
			"internal/client/windowless.go": importing("client", "internal/client/window"),
		},
		good: map[string]string{
			"cmd/skyconnect-window/main.go":    importing("main", "internal/client/window"),
			"internal/client/window/a.go":      "package window\nimport _ \"gioui.org/layout\"\n",
			"internal/client/window/link/a.go": importing("link", "internal/client/window"),
		},
		wants: []string{"cmd/skyconnect/main.go", "internal/app/a.go", "internal/client/daemon/a.go", "internal/client/windowless.go"},
	},
	{
		name: "modules import earlier ones", rule: ModuleOrder,
		bad: map[string]string{
			"internal/control/consent/a.go": importing("consent", "internal/control/account"),
			"internal/control/sales/a.go":   importing("sales"),
		},
		good:  map[string]string{"internal/control/account/a.go": importing("account", "internal/control/consent")},
		wants: []string{"account, which comes later", "no place in the order"},
	},
	{
		name: "one package comment", rule: PackageComments,
		bad: map[string]string{
			"internal/a/a.go": "package a", "internal/b/a.go": "// Package b is one of two comments here, both of them long enough.\npackage b",
			"internal/b/b.go": "// Package b is one of two comments here, both of them long enough.\npackage b",
			"internal/c/c.go": "// Package c.\npackage c", "internal/d/d.go": "// This is about something else, at some length it is.\npackage d",
		},
		good: map[string]string{
			"internal/a/a.go":      "// Package a is for the test of package comments and for nothing else.\npackage a",
			"internal/a/1_test.go": "// The tests have a remark.\npackage a_test", "cmd/x/main.go": "// Command x does a thing that takes some words to say.\npackage main",
		},
		wants: []string{"no package comment", "package comments in internal/b/a.go, internal/b/b.go", "says nothing", "does not begin"},
	},
	{
		name: "dials", rule: Dials,
		bad: map[string]string{
			"internal/provider/epay/a.go": code("epay", `import "net/http"`, `http.Get("x"); _ = &http.Client{}`),
			"internal/control/vpn/a.go":   code("vpn", `import n "net"`, `n.Dial("tcp", "x"); n.LookupHost("x")`),
			"internal/platform/x/a.go":    code("x", `import "crypto/tls"`, `tls.Dial("tcp", "x", nil)`),
		},
		good: map[string]string{
			"internal/platform/egress/a.go":    code("egress", `import "net"`, `_ = net.Dialer{}`),
			"internal/dataplane/agent/a.go":    code("agent", `import "net"`, `net.Dial("unix", "x")`),
			"internal/provider/epay/a_test.go": code("epay", `import "net/http"`, `http.Get("x")`),
			"internal/web/a.go":                code("web", `import ("net"; "net/http")`, `_ = http.StatusOK; net.SplitHostPort("x")`),
		},
		wants: []string{"net.Dial dials", "net.LookupHost dials", "crypto/tls.Dial dials", "net/http.Get dials", "net/http.Client dials"},
	},
	{
		name: "cookies", rule: Cookies,
		bad: map[string]string{
			"internal/web/api/a.go": code("api", `import "net/http"`, `http.SetCookie(nil, nil)`),
			"internal/app/a.go":     code("app", `import h "net/http"`, `_ = h.Cookie{}`),
		},
		good: map[string]string{
			"internal/web/cookie/a.go":       code("cookie", `import "net/http"`, `_ = http.Cookie{}`),
			"internal/dataplane/sslvpn/a.go": code("sslvpn", `import "net/http"`, `_ = http.Cookie{}`),
			"internal/web/api/a_test.go":     code("api", `import "net/http"`, `_ = http.Cookie{}`),
		},
		wants: []string{"net/http.Cookie makes", "net/http.SetCookie makes"},
	},
	{
		name: "browser stores", rule: BrowserStores,
		bad: map[string]string{
			"console/src/a.ts":        "localStorage.setItem('seen', '1');",
			"console/src/pages/b.tsx": "navigator.sendBeacon('/x');\ndocument.cookie = 'visitor=1';\ndocument.cookie = visitor;",
		},
		good: map[string]string{
			"console/src/a.ts": "document.cookie = prefsCookie(next);", "console/src/api/schema.d.ts": "localStorage", "console/test/a.ts": "localStorage",
		},
		wants: []string{"localStorage keeps", "sendBeacon keeps", "document.cookie = 'visitor=1'", "document.cookie = visitor"},
	},
	{
		name: "clocks", rule: Clocks,
		bad: map[string]string{
			"internal/control/order/a.go": code("order", `import "time"`, `_ = time.Now()`),
			"internal/protocol/dtls/a.go": code("dtls", `import t "time"`, `_ = t.NewTimer(1)`),
		},
		good: map[string]string{
			"internal/control/order/a.go":      code("order", `import "time"`, `_ = time.NewTimer(time.Hour)`),
			"internal/control/order/a_test.go": code("order", `import "time"`, `_ = time.Now()`),
			"internal/web/a.go":                code("web", `import "time"`, `_ = time.Now()`),
		},
		wants: []string{"time.Now reads the clock", "time.NewTimer reads the clock"},
	},
	{
		name: "pure wire code", rule: PureProtocol,
		bad: map[string]string{
			"internal/protocol/dtls/a.go":     code("dtls", `import "net"`, `net.ListenPacket("udp", "x")`),
			"internal/dataplane/session/a.go": code("session", "", `go f()`),
		},
		good: map[string]string{
			"internal/protocol/dtls/a.go":    code("dtls", `import "net/netip"`, `_ = netip.Addr{}`),
			"internal/dataplane/sslvpn/a.go": code("sslvpn", "", `go f()`),
		},
		wants: []string{"net.ListenPacket is no wire code", "a goroutine in pure code"},
	},
	{
		name: "skipped tests", rule: SkippedTests,
		bad: map[string]string{
			"internal/x/x_test.go":         code("x", `import "testing"`, `t.Skip("no root"); b.Skipf("x"); _ = testing.Short()`),
			"internal/x/xtest/x.go":        code("xtest", "", `t.SkipNow()`),
			"console/test/a.test.ts":       "it.skip('x')\ndescribe.only('y')",
			"console/node_modules/m/a.js":  "it.skip('x')",
			"console/test/b.test.tsx":      "xit('z')",
			"internal/x/testdata/y/y.go":   code("y", "", `t.Skip()`),
			"internal/x/not_a_test_run.go": code("x", "", `r.Skip(3)`),
		},
		good: map[string]string{
			"internal/x/x_test.go":   code("x", `import "testing"`, `t.Fatal("needs root")`),
			"internal/x/x.go":        code("x", "", `scanner.Skip()`),
			"console/test/a.test.ts": "it('skips nothing', () => { exit(1) })",
		},
		wants: []string{"t.Skip", "b.Skipf", "testing.Short", "t.SkipNow", "it.skip", "describe.only", "xit("},
	},
	{
		name: "build tags", rule: BuildTags,
		bad:   map[string]string{"test/x/x_test.go": "//go:build integration && linux\n\npackage x"},
		good:  map[string]string{"test/x/x_test.go": "//go:build netns && linux\n\npackage x", "internal/x/x.go": "//go:build windows\n\npackage x"},
		wants: []string{"builds what asks for integration"},
	},
	{
		name: "table prefixes", rule: TablePrefixes,
		bad: map[string]string{"internal/control/order/migrations/00001_order.sql": "-- +goose Up\nCREATE TABLE lines (id TEXT);\nCREATE TABLE order_a (id TEXT);"},
		good: map[string]string{
			"internal/control/order/migrations/00001_order.sql":     "CREATE TABLE order_line (id TEXT);",
			"internal/platform/vault/migrations/00001_keystore.sql": "CREATE TABLE keystore_key (id TEXT);",
			"internal/control/order/migrations/00002_gone.sql":      "CREATE TABLE old (id TEXT);\nDROP TABLE old;",
		},
		wants: []string{"table lines does not begin with order_"},
	},
	{
		name: "tables of others", rule: ForeignTables,
		bad: map[string]string{
			"internal/control/order/migrations/00001_order.sql": "CREATE TABLE order_line (id TEXT);",
			"internal/control/payment/a.go":                     code("payment", "", "q(`UPDATE order_line SET id = $1`)"),
			"internal/control/report/a.go":                      code("report", "", "q(`DELETE FROM order_line`)"),
		},
		good: map[string]string{
			"internal/control/order/migrations/00001_order.sql": "CREATE TABLE order_line (id TEXT);",
			"internal/control/order/a.go":                       code("order", "", "q(`UPDATE order_line SET id = $1`)"),
			"internal/control/report/a.go":                      code("report", "", "q(`SELECT id FROM order_line`)"),
			"internal/control/payment/a.go":                     code("payment", "", "q(`order_line`)"),
			"internal/control/payment/a_test.go":                code("payment", "", "q(`SELECT id FROM order_line`)"),
		},
		wants: []string{"names order_line, a table of internal/control/order", "names order_line, a table of internal/control/order"},
	},
	{
		name: "SQL outside of modules", rule: SQLOutsideModules,
		bad: map[string]string{
			"internal/web/api/a.go":       code("api", "", "q(`SELECT id FROM anything`)"),
			"internal/provider/epay/a.go": code("epay", "", "q(`insert into x values (1)`)"),
		},
		good: map[string]string{
			"internal/web/api/a.go":       code("api", "", "q(`select a region from the list`)"),
			"internal/control/order/a.go": code("order", "", "q(`SELECT id FROM order_line`)"),
		},
		wants: []string{"an SQL statement", "an SQL statement"},
	},
	{
		name: "traces", rule: func(tree fs.FS) ([]Violation, error) {
			return Traces(tree, []string{"/srv/checkout", "mirror.example"})
		},
		bad: map[string]string{
			"README.md": "clone into /srv/checkout/here\n", "console/package-lock.json": `"resolved": "https://mirror.example/x.tgz"`,
		},
		good:  map[string]string{"README.md": "see docs/srv/checkout and no-mirror.example\n", "build/x.log": "/srv/checkout"},
		wants: []string{"README.md:1", "console/package-lock.json:1"},
	},
	{
		name: "translations", rule: Translations,
		bad: map[string]string{
			"internal/control/order/a.go":           code("order", `import "`+Module+`/internal/platform/errs"`, `_ = errs.New(errs.Gone, "order.gone"); _ = errs.Wrap(errs.Gone, "order.lost", nil)`),
			"internal/platform/i18n/en/order.yaml":  "order.gone: It is gone.\n",
			"internal/platform/i18n/zh-CN/own.yaml": "order.lost: x\n",
		},
		good: map[string]string{
			"internal/control/order/a.go":             code("order", `import "`+Module+`/internal/platform/errs"; import "errors"`, `_ = errs.New(errs.Gone, "order.gone"); _ = errors.New("order.free")`),
			"internal/control/order/a_test.go":        code("order", `import "`+Module+`/internal/platform/errs"`, `_ = errs.New(errs.Gone, "order.test")`),
			"internal/platform/i18n/en/order.yaml":    "order.gone: It is gone.\n",
			"internal/platform/i18n/zh-CN/order.yaml": "order.gone: x\n",
		},
		wants: []string{"order.gone has no sentence in zh-CN", "order.lost has no sentence in en"},
	},
	{
		name: "the list of decisions is whole", rule: Decisions,
		bad: map[string]string{
			"docs/decisions/README.md": "* [1. One](0001-one.md)\n", "docs/decisions/0001-one.md": "", "docs/decisions/0002-two.md": "",
		},
		good:  map[string]string{"docs/decisions/README.md": "* [1. One](0001-one.md)\n", "docs/decisions/0001-one.md": ""},
		wants: []string{"does not list 0002-two.md"},
	},
	{
		name: "the written order of the modules", rule: WrittenOrder,
		bad: map[string]string{
			"docs/ARCHITECTURE.md": "and each imports earlier ones only: order, audit (and, when they come: report).", "internal/control/audit/a.go": "", "internal/control/order/o.go": "",
		},
		good: map[string]string{
			"docs/ARCHITECTURE.md": "and each imports earlier ones only: audit,\norder (and, when they come: report).", "internal/control/audit/a.go": "", "internal/control/order/o.go": "",
		},
		wants: []string{"tells the order order, audit; it is audit, order"},
	},
	{
		name: "documents", rule: Docs,
		bad: documented("`internal/gone`, `platform/gone` and [a link](gone.md)", "`order.Gone`, `order.Order.Gone` and `gone.Order`",
			"`POST /api/v1/gone`, `DELETE /api/v1/orders/{id}` and `/pay/gone`", "`order.gone` in `order_gone`", "`make gone`, `skybridge gone`, `SKYBRIDGE_GONE`, `gone.go`, `order-after-gone`"),
		good: documented("`internal/control/order/`, `control/order` and [a link](ARCHITECTURE.md)", "`order.Order`, `order.Order.Pay(at)`, `order.Order.State` and `order.New`",
			"`GET /api/v1/orders/{order}`, `/api/v1/orders` and `GET /pay/return/{attempt}`", "`order.paid` in `order_line`, `10.0.0.0/8`, `a b`", "`make test`, `skybridge serve --demo`, `SKYBRIDGE_KEY=x`, `order.go`, `order-after-pay`",
			"```", "`internal/gone` in a drawing", "```"),
		wants: []string{
			"`internal/gone`", "`platform/gone`", "the link gone.md", "`order.Gone`", "`order.Order.Gone`", "`gone.Order`", "`POST /api/v1/gone`", "`DELETE /api/v1/orders/{id}`",
			"`/pay/gone`", "`order.gone`", "`order_gone`", "`make gone`", "`skybridge gone`", "`SKYBRIDGE_GONE`", "`gone.go`", "`order-after-gone`",
		},
	},
	{
		name: "holdings", rule: func(tree fs.FS) ([]Violation, error) {
			return Holdings(tree, map[string][]holding.Table{"internal/control/order": {
				holding.Of("order_line", holding.None("a row of the test", "id", "total", "note", "gone")),
			}})
		},
		bad: map[string]string{
			"internal/control/order/migrations/00001_order.sql":     "CREATE TABLE order_line (\n  id TEXT PRIMARY KEY, -- the key\n  total BIGINT NOT NULL CHECK (total IN (1, 2)),\n  UNIQUE (id, total)\n);\nCREATE TABLE order_more (id TEXT);",
			"internal/control/order/migrations/00002_more.sql":      "ALTER TABLE order_line ADD COLUMN note TEXT;\nALTER TABLE order_line ADD COLUMN phone TEXT;",
			"internal/control/payment/migrations/00001_payment.sql": "CREATE TABLE payment_a (id TEXT);",
		},
		good: map[string]string{
			"internal/control/order/migrations/00001_order.sql": "CREATE TABLE order_line (id TEXT, sum BIGINT, old TEXT);\nALTER TABLE order_line RENAME COLUMN sum TO total;",
			"internal/control/order/migrations/00002_more.sql":  "ALTER TABLE order_line ADD COLUMN note TEXT;\nALTER TABLE order_line DROP COLUMN old;\nALTER TABLE order_line ADD COLUMN gone TEXT;",
		},
		wants: []string{"order_line.gone is described and does not exist", "order_line.phone is not classified", "table order_more is not classified", "payment: its tables are not described"},
	},
}

func TestPlantedViolationsAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range planted {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := findings(t, c.rule, c.bad)
			if len(found) != len(c.wants) {
				t.Errorf("got %d violations, want %d:\n%s", len(found), len(c.wants), strings.Join(found, "\n"))
			}
			for _, want := range c.wants {
				if !strings.Contains(strings.Join(found, "\n"), want) {
					t.Errorf("got\n%s\nwant one with %q", strings.Join(found, "\n"), want)
				}
			}
			if found := findings(t, c.rule, c.good); len(found) > 0 {
				t.Errorf("in the good tree: got\n%s\nwant none", strings.Join(found, "\n"))
			}
		})
	}
}

func TestPlantedLinkIsFound(t *testing.T) {
	t.Parallel()
	found, err := Links("testdata/sqlmodule", []string{"./..."}, "database/sql")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Error("got no violation, want one: planted/dataplane links database/sql")
	}
}

func findings(t *testing.T, r rule, files map[string]string) []string {
	t.Helper()
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	found, err := r(tree)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, v := range found {
		all = append(all, v.String())
	}
	return all
}

// importing is a file that imports directories of this module.
func importing(name string, dirs ...string) string {
	text := "package " + name + "\n"
	for _, d := range dirs {
		text += `import _ "` + Module + "/" + d + "\"\n"
	}
	return text
}

// code is a file with imports and one function of the given body.
func code(name, imports, body string) string {
	return "package " + name + "\n" + imports + "\nfunc f() { " + body + " }\n"
}

// documented is a small tree with a document of the given lines.
func documented(lines ...string) map[string]string {
	return map[string]string{
		"docs/ARCHITECTURE.md": strings.Join(lines, "\n"),
		"internal/control/order/order.go": "package order\ntype Order struct { State string }\nfunc (o *Order) Pay(at int) {}\nfunc New() {}\n" +
			"const topic, point = \"order.paid\", \"order-after-pay\"\n",
		"internal/control/order/migrations/00001_order.sql": "CREATE TABLE order_line (id TEXT);",
		"internal/platform/platform.go":                     "package platform",
		"internal/web/pay.go":                               "package web\nconst r = \"GET /pay/return/{attempt_no}\"",
		"cmd/skybridge/main.go":                             "package main\nconst use = \"serve\"",
		"console/openapi.json":                              `{"paths":{"/api/v1/orders":{"get":{}},"/api/v1/orders/{id}":{"get":{}}}}`,
		"Makefile":                                          "test:\n\tx\n",
		"scripts/x.sh":                                      "echo $SKYBRIDGE_KEY\n",
	}
}
