package app

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

const locales = "../../console/src/locales"

// consoleWords are the console's words of a language by key.
func consoleWords(t *testing.T, language string) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob(filepath.Join(locales, language, "*.json"))
	must(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		must(t, err)
		var words map[string]string
		must(t, json.Unmarshal(raw, &words))
		maps.Copy(all, words)
	}
	if len(all) < 1000 {
		t.Fatalf("%d words of %s in %s", len(all), language, locales)
	}
	return all
}

// shown are the keys that the console needs for what a person is shown; each is a
// list of keys of which one has to be there.
type shown map[string][]string

func (s shown) add(what string, keys ...string) { s[what] = keys }

func (s shown) column(table, name string) {
	s.add("the column "+table+"."+name, "data."+table+"."+name, "data."+name)
}

// field is a column as the registers of readings and of what was sent name it.
func (s shown) field(name string) {
	table, column, found := strings.Cut(name, ".")
	if !found {
		table, column = "", name
	}
	s.column(table, column)
}

func (s shown) code(kind, name string) { s.add("the "+kind+" "+name, kind+"."+name) }

// declared adds what the data map and the register of recipients can have a
// person shown: of columns, of copies, and of what is sent.
func (s shown) declared(t *testing.T) {
	t.Helper()
	tables := Holdings()
	for _, table := range tables {
		held := slices.ContainsFunc(Held(), func(h holding.Held) bool { return h.Table == table.Name })
		for _, c := range table.Columns {
			if c.Category == "" {
				continue
			}
			held = true
			s.column(table.Name, c.Name)
			s.code("category", string(c.Category))
			s.code("basis", string(c.Basis))
			for _, p := range c.Purposes {
				s.code("purpose", p)
			}
		}
		if held {
			s.code("held", table.Name)
		}
	}
	for _, h := range Held() {
		i := slices.IndexFunc(tables, func(t holding.Table) bool { return t.Name == h.Table })
		for _, name := range h.Columns(tables[i]) {
			s.column(h.Table, name)
		}
	}
	for _, profile := range []string{consent.Mainland, consent.HongKong} {
		registry, err := egress.Load(profile, false, nil)
		must(t, err)
		for _, r := range registry.Recipients() {
			for _, op := range r.Ops {
				for _, f := range op.Fields {
					s.field(f)
				}
				for _, p := range op.Purposes {
					s.code("purpose", p)
				}
			}
		}
	}
}

var (
	readings   = regexp.MustCompile(`vault\.Read\{(?:[^{}]|\{[^{}]*\})*`)
	readReason = regexp.MustCompile(`Reason: +"([a-z_]+)"`)
	openedFor  = regexp.MustCompile(`(?:OpenAddresses|arrangementOf)\(.*"([a-z_]+)"[,)]`)
)

// reasons adds the codes that the sources give for readings.
func (s shown) reasons(t *testing.T) {
	t.Helper()
	found := 0
	must(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(raw), "vault.") {
			return err
		}
		var codes [][]string
		for _, r := range readings.FindAllString(string(raw), -1) {
			codes = append(codes, readReason.FindAllStringSubmatch(r, -1)...)
		}
		for _, c := range append(codes, openedFor.FindAllStringSubmatch(string(raw), -1)...) {
			found++
			s.code("read_reason", c[1])
		}
		return nil
	}))
	if found < 10 {
		t.Errorf("the sources give %d reasons: the search sees nothing", found)
	}
}

// answered adds what the API tells somebody about themselves.
func (s shown) answered(p *person, at string) (things int) {
	each := func(path string, add func(item map[string]any)) {
		for _, item := range p.do(200, "GET", at+path, nil).json["items"].([]any) {
			things++
			add(item.(map[string]any))
		}
	}
	texts := func(v any) (all []string) {
		for _, x := range v.([]any) {
			all = append(all, x.(string))
		}
		return all
	}
	data := "/me/data"
	if p.user {
		data = "/data"
	}
	each(data, func(item map[string]any) {
		table := item["table"].(string)
		s.code("held", table)
		for _, c := range texts(item["categories"]) {
			s.code("category", c)
		}
		for _, c := range texts(p.do(200, "GET", at+data+"/"+table, nil).json["columns"]) {
			s.column(table, c)
		}
	})
	each("/reads?own=true", func(item map[string]any) {
		s.code("actor", item["reader"].(string))
		if p.user {
			s.add("the reader "+item["reader"].(string), "user.by_"+item["reader"].(string))
		}
		s.code("purpose", item["purpose"].(string))
		for _, f := range texts(item["fields"]) {
			s.field(f)
		}
		if reason := item["reason"].(string); reason != "" && !strings.Contains(reason, "_") {
			s.code("read_reason", reason)
		}
	})
	each("/disclosures", func(item map[string]any) {
		s.code("purpose", item["purpose"].(string))
		s.code("state.disclosure", item["phase"].(string))
		for _, f := range texts(item["fields"]) {
			s.field(f)
		}
	})
	if p.user {
		each("/acts", func(item map[string]any) { s.add("the act "+item["kind"].(string), "user.act_"+item["kind"].(string)) })
		return things
	}
	each("/consents", func(item map[string]any) {
		s.code("purpose", item["purpose"].(string))
		s.code("consent_kind", item["kind"].(string))
		s.code("state.consent", item["decision"].(string))
	})
	each("/data-subject-requests", func(item map[string]any) {
		s.add("the request "+item["kind"].(string), "rights.kind_"+item["kind"].(string))
		s.add("the channel "+item["channel"].(string), "rights.channel_"+item["channel"].(string))
	})
	return things
}

// Whatever a person is shown of their data has words in both languages: no table,
// column, category, purpose or reason stands there as the program names it.
func TestWhatAPersonIsShownHasWords(t *testing.T) {
	t.Parallel()
	in := install(t)
	owner := in.customer("alice", 1)
	u := owner.vpnUser()
	owner.do(200, "GET", "/vpn-sessions", nil)
	owner.do(201, "POST", "/data-subject-requests", object{"kind": "copy"})
	in.drain()
	all := shown{}
	all.declared(t)
	all.reasons(t)
	if n := all.answered(owner, ""); n < 40 {
		t.Errorf("the API showed the customer %d things", n)
	}
	if n := all.answered(u, "/vpn-user"); n < 10 {
		t.Errorf("the API showed the VPN user %d things", n)
	}
	if len(all) < 350 {
		t.Errorf("%d names are shown: the walk sees too few", len(all))
	}
	for _, language := range []string{"en", "zh-CN"} {
		words := consoleWords(t, language)
		var missing []string
		for what, keys := range all {
			if !slices.ContainsFunc(keys, func(k string) bool { return words[k] != "" }) {
				missing = append(missing, fmt.Sprintf("%s (%s)", what, keys[len(keys)-1]))
			}
		}
		slices.Sort(missing)
		if len(missing) > 0 {
			t.Errorf("%s has no words for\n%s", language, strings.Join(missing, "\n"))
		}
	}
}
