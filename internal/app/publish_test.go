package app

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestNoRoutePublishesPersonalData holds clauses TY-4.3 and LT-3f: what anybody
// may read without signing in has no field that tells of a person.
func TestNoRoutePublishesPersonalData(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := PrintOpenAPI(&out); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	personal, public, open := personalNames(), 0, 0
	for path, item := range doc["paths"].(map[string]any) {
		for method, v := range item.(map[string]any) {
			op := v.(map[string]any)
			fields := map[string]bool{}
			for status, answer := range op["responses"].(map[string]any) {
				if strings.HasPrefix(status, "2") {
					collect(doc, answer, fields, map[string]bool{})
				}
			}
			if _, signedIn := op["security"]; signedIn {
				open += count(fields, personal)
				continue
			}
			public++
			for f := range fields {
				if personal[f] && !slices.Contains(strings.Fields(homonyms[method+" "+path]), f) {
					t.Errorf("%s %s answers anybody with %s", method, path, f)
				}
			}
		}
	}
	if public == 0 || open == 0 {
		t.Errorf("the walk saw %d operations without sign-in and %d personal fields of others: it sees nothing", public, open)
	}
}

// homonyms are fields of answers without sign-in that bear the name of a
// personal column and tell of no other person: by method and path.
var homonyms = map[string]string{
	// The caller, who has just proved a password or a token.
	"post /api/v1/login-sessions":        "id expires_at",
	"post /api/v1/login-sessions/resume": "id expires_at",
	"post /api/v1/accounts":              "account",
	"post /api/v1/vpn-user/session":      "expires_at",
	// The register of cookies, the same for everybody.
	"get /api/v1/cookies": "act kind name purpose",
	// Of a clause and of the answer to its question.
	"get /api/v1/trust": "id state",
	// The operator's texts, and the text of an act before it is made.
	"get /api/v1/policies":                               "document title",
	"get /api/v1/policies/{document}":                    "document locale text_sha256 title",
	"get /api/v1/policies/{document}/versions/{version}": "document locale text_sha256 title",
	"get /api/v1/consent-prompts/{purpose}":              "purpose adult document kind locale text_sha256 expires_at title",
	// The same words for everybody, and about nobody.
	"get /api/v1/incident-announcements": "id at title",
	// Of an erasure, for whoever has its number: nothing leads to a person any more.
	"get /api/v1/erasures/{id}": "id asked_at problem",
	// The law's rule of an age, the same for everybody.
	"get /api/v1/age-groups": "rule",
	// The assistant's rules, the same for everybody.
	"post /api/v1/assistant/questions": "words",
	// Of a release of the client: when it was made.
	"get /api/v1/downloads": "at",
	// Goods and prices.
	"get /api/v1/products": "id name region currency options",
	"get /api/v1/regions":  "id name",
	"get /api/v1/limits":   "name",
	"post /api/v1/quotes":  "kind number currency quote_hash expires_at",
}

// personalNames are the names of all columns that the data map calls personal.
func personalNames() map[string]bool {
	names := map[string]bool{}
	for _, table := range Holdings() {
		for _, c := range table.Columns {
			if c.Category != "" && c.Subject != "" {
				names[c.Name] = true
			}
		}
	}
	return names
}

func count(fields, personal map[string]bool) (n int) {
	for f := range fields {
		if personal[f] {
			n++
		}
	}
	return n
}

// collect gathers the names of all properties below a node, through references.
func collect(doc map[string]any, node any, into, seen map[string]bool) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			collect(doc, v, into, seen)
		}
	case map[string]any:
		if ref, ok := n["$ref"].(string); ok && !seen[ref] {
			seen[ref] = true
			collect(doc, resolve(doc, ref), into, seen)
		}
		if props, ok := n["properties"].(map[string]any); ok {
			for name := range props {
				into[name] = true
			}
		}
		for _, v := range n {
			collect(doc, v, into, seen)
		}
	}
}

func resolve(doc map[string]any, ref string) any {
	var at any = doc
	for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		at = at.(map[string]any)[part]
	}
	return at
}
