package field

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Names are the names that the JSON of a type has, with those of the structs
// inside of it. A type that is no struct has none that could be classified: that
// is an error.
func Names(t reflect.Type) ([]string, error) {
	if t == nil || t.Kind() != reflect.Struct || whole(t) {
		return nil, fmt.Errorf("%v has no named fields: %w", t, ErrUnclassified)
	}
	return names(t, map[reflect.Type]bool{}), nil
}

func names(t reflect.Type, seen map[reflect.Type]bool) (all []string) {
	if seen[t] {
		return nil
	}
	seen[t] = true
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		all = append(all, name)
		if inner := held(f.Type); inner.Kind() == reflect.Struct && !whole(inner) {
			all = append(all, names(inner, seen)...)
		}
	}
	return all
}

// held is what a pointer, a list or a map holds.
func held(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t
}

// whole tells of a struct that is written as one value.
func whole(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Time]() || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]())
}

// NamesIn are the names of a JSON text, at every depth. A text that is neither
// an object nor null has none that could be classified: that is an error.
func NamesIn(text []byte) ([]string, error) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	switch v.(type) {
	case nil, map[string]any:
		return namesIn(v), nil
	}
	return nil, fmt.Errorf("a value without a name: %w", ErrUnclassified)
}

func namesIn(v any) (all []string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			all = append(all, namesIn(item)...)
		}
	case map[string]any:
		for name, item := range v {
			all = append(append(all, name), namesIn(item)...)
		}
	}
	return all
}
