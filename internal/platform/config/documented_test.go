package config

import (
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// row is a row of the tables: key, default, meaning.
var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*?) ?\\| (.*?) ?\\|$")

func TestEveryKeyIsDocumentedWithItsDefault(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/operations/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		told[m[1]] = strings.ReplaceAll(m[2], "`", "")
	}
	keys(reflect.ValueOf(Default()), "", func(key, value string) {
		was, ok := told[key]
		if !ok {
			t.Errorf("%s is not documented", key)
		} else if was != value {
			t.Errorf("%s: the page says %q is the default, it is %q", key, was, value)
		}
		delete(told, key)
	})
	for key := range told {
		t.Errorf("%s is documented and does not exist", key)
	}
}

// keys calls visit for every key below v with its default as the page prints it.
func keys(v reflect.Value, prefix string, visit func(key, value string)) {
	for i := range v.NumField() {
		key, f := prefix+v.Type().Field(i).Tag.Get("yaml"), v.Field(i)
		switch {
		case isLeaf(f.Type()):
			visit(key, printed(f))
		case f.Kind() == reflect.Struct:
			keys(f, key+".", visit)
		case f.Kind() == reflect.Map:
			visit(key, "")
			keys(reflect.Zero(f.Type().Elem()), key+".NAME.", visit)
		default:
			visit(key, "")
			keys(reflect.Zero(f.Type().Elem()), key+"[].", visit)
		}
	}
}

func isLeaf(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.Prefix](), reflect.TypeFor[time.Time]():
		return true
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return false
	case reflect.Slice:
		return isLeaf(t.Elem())
	}
	return true
}

func printed(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		var all []string
		for i := range v.Len() {
			all = append(all, printed(v.Index(i)))
		}
		return strings.Join(all, ", ")
	}
	if v.IsZero() && v.Kind() != reflect.Bool {
		return ""
	}
	return fmt.Sprint(v.Interface())
}
