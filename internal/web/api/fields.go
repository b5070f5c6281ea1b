package api

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

//go:embed fields.yaml
var fieldsFile []byte

// Fields classifies the properties and parameters of the API: by name, or by
// schema and name where a schema means something else by it.
var Fields = sync.OnceValues(func() (field.Register, error) {
	var classes map[field.Class]string
	if err := yaml.Unmarshal(fieldsFile, &classes); err != nil {
		return nil, fmt.Errorf("the classes of the API's fields: %w", err)
	}
	r := field.Register{}
	for class, names := range classes {
		for _, name := range strings.Fields(names) {
			if r[name] != "" {
				return nil, fmt.Errorf("the classes of the API's fields: %q stands twice", name)
			}
			r[name] = class
		}
	}
	return r, r.Verify(categories()...)
})

func categories() (names []string) {
	for _, c := range holding.Categories() {
		names = append(names, string(c))
	}
	return names
}

// Verify names every property and parameter of the registered operations that is
// not classified. The start asks it.
func (a *API) Verify() error {
	r, err := Fields()
	if err != nil {
		return err
	}
	text, err := a.OpenAPI()
	if err != nil {
		return err
	}
	_, err = classified(r, text)
	return err
}

// classified holds a description to a register and says which entries it uses.
func classified(r field.Register, description []byte) (used map[string]bool, err error) {
	var doc struct {
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
		Paths map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(description, &doc); err != nil {
		return nil, err
	}
	w := walk{r: r, used: map[string]bool{}}
	for name, schema := range doc.Components.Schemas {
		w.in(name, schema)
	}
	for path, item := range doc.Paths {
		w.in(path, item)
	}
	slices.Sort(w.wrong)
	var all []error
	for _, place := range slices.Compact(w.wrong) {
		all = append(all, fmt.Errorf("%s: %w", place, field.ErrUnclassified))
	}
	return w.used, errors.Join(all...)
}

type walk struct {
	r     field.Register
	used  map[string]bool
	wrong []string
}

// in looks at what stands in a schema or at a path.
func (w *walk) in(place string, node any) {
	switch node := node.(type) {
	case []any:
		for _, v := range node {
			w.in(place, v)
		}
	case map[string]any:
		if properties, ok := node["properties"].(map[string]any); ok {
			for name := range properties {
				w.name(place, name)
			}
		}
		if name, ok := node["name"].(string); ok && node["in"] != nil {
			w.name(place, name)
		}
		for _, v := range node {
			w.in(place, v)
		}
	}
}

func (w *walk) name(place, name string) {
	for _, entry := range []string{place + "." + name, name} {
		if w.r[entry] != "" {
			w.used[entry] = true
			return
		}
	}
	w.wrong = append(w.wrong, place+"."+name)
}
