package gwlink

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
)

// Whatever a message holds is classified, and nothing else stands in the register.
func TestEveryFieldOfAMessageIsClassified(t *testing.T) {
	t.Parallel()
	if err := Verify("net.ip", "net.useragent", "net.session", "account.secret", "cert"); err != nil {
		t.Error(err)
	}
	if err := Verify("net.ip"); !errors.Is(err, field.ErrPersonal) {
		t.Errorf("with other categories: got %v", err)
	}
	used, seen := map[string]bool{}, map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(m reflect.Type) {
		if seen[m] {
			return
		}
		seen[m] = true
		for _, f := range reflect.VisibleFields(m) {
			name := f.Tag.Get("json")
			if i := slices.Index([]byte(name), ','); i >= 0 {
				name = name[:i]
			}
			entry, _ := Classified(m.Name(), name)
			used[entry] = true
			if t := inside(f.Type); t.Kind() == reflect.Struct && t.PkgPath() == m.PkgPath() {
				walk(t)
			}
		}
	}
	for _, m := range messages {
		walk(m)
	}
	for entry := range Fields {
		if !used[entry] {
			t.Errorf("%s is classified and in no message", entry)
		}
	}
	type planted struct {
		Inner []struct{}
		Shoe  int `json:"shoe_size"`
	}
	if wrong := errors.Join(verify(reflect.TypeFor[planted](), map[reflect.Type]bool{})...); !errors.Is(wrong, field.ErrUnclassified) {
		t.Errorf("a field that nobody classified: got %v", wrong)
	}
}
