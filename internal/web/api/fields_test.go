package api

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
)

// Every property and parameter of the published description has a class, and
// nothing has one that is no field any more.
func TestEveryFieldOfTheAPIIsClassified(t *testing.T) {
	t.Parallel()
	r, err := Fields()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../../console/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	used, err := classified(r, text)
	if err != nil {
		t.Error(err)
	}
	for entry := range r {
		if !used[entry] {
			t.Errorf("%s is classified and no field", entry)
		}
	}
}

// A planted field is named, wherever it stands: in a schema, in an answer that
// has none, as a parameter.
func TestAnUnclassifiedFieldOfTheAPIIsNamed(t *testing.T) {
	t.Parallel()
	r := field.Register{"id": field.ID, "Person.name": "account.name"}
	_, err := classified(r, []byte(`{
		"components": {"schemas": {
			"Person": {"properties": {"id": {}, "name": {}, "phones": {"items": {"properties": {"digits": {}}}}}},
			"Thing": {"properties": {"name": {}}}}},
		"paths": {"/people": {"get": {"parameters": [{"in": "query", "name": "born"}], "responses": {"200": {"content": {"x": {"schema": {"properties": {"qq": {}}}}}}}}}}}`))
	for _, want := range []string{"Person.phones", "Person.digits", "Thing.name", "/people.born", "/people.qq"} {
		if !errors.Is(err, field.ErrUnclassified) || !strings.Contains(err.Error(), want+": ") {
			t.Errorf("got %v, want one of %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "Person.name") || strings.Contains(err.Error(), ".id") {
		t.Errorf("got %v: what is classified is named too", err)
	}
}
