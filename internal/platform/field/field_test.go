package field_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
)

type inner struct {
	At   time.Time
	Text json.RawMessage `json:"text"`
	Self *outer
}

type outer struct {
	ID      string `json:"id,omitempty"`
	Skipped string `json:"-"`
	private string
	List    []*inner
	ByName  map[string]inner
}

func TestAllNamesOfATypeAndOfItsTextAreSeen(t *testing.T) {
	t.Parallel()
	got, err := field.Names(reflect.TypeFor[outer]())
	if want := []string{"id", "List", "At", "text", "Self", "ByName"}; err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	got, err = field.NamesIn([]byte(`{"a":[{"b":1},{"c":{"d":null}}]}`))
	slices.Sort(got)
	if want := []string{"a", "b", "c", "d"}; err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{`"x"`, `3`, `[{"a":1}]`, `{`} {
		if _, err := field.NamesIn([]byte(bad)); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
	for _, bad := range []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[map[string]string](), reflect.TypeFor[time.Time](), nil} {
		if _, err := field.Names(bad); !errors.Is(err, field.ErrUnclassified) {
			t.Errorf("%v: got %v", bad, err)
		}
	}
	_ = outer{}.private
}

func TestAClassOutsideOfTheListsIsRefused(t *testing.T) {
	t.Parallel()
	r := field.Register{"order": field.ID, "email": "contact.email", "x": "thing"}
	if err := r.Verify("contact.email", "thing"); err != nil {
		t.Error(err)
	}
	for _, allowed := range [][]string{nil, {"contact.email"}, {"thing"}} {
		if err := r.Verify(allowed...); !errors.Is(err, field.ErrPersonal) {
			t.Errorf("%v: got %v", allowed, err)
		}
	}
	if err := r.Check("order", "email"); err != nil {
		t.Error(err)
	}
	if err := r.Check("order", "phone"); !errors.Is(err, field.ErrUnclassified) {
		t.Errorf("got %v", err)
	}
}
