package id

import (
	"slices"
	"testing"
)

func TestIdentifiersSortByCreationAndHandlesDoNot(t *testing.T) {
	t.Parallel()
	var ids []string
	for range 100 {
		ids = append(ids, New("ord"))
	}
	if !slices.IsSorted(ids) {
		t.Error("identifiers do not sort by creation")
	}
	for _, s := range append(ids, string(NewHandle())) {
		if !Has(s, s[:3]) {
			t.Errorf("Has(%q) is false", s)
		}
	}
	if len(Resource("vpngw")) != len("vpngw-")+16 {
		t.Errorf("got %q, want 16 characters after the prefix", Resource("vpngw"))
	}
	for _, bad := range []string{"", "ord_", "ord_ABC", "orx_" + New("ord")[4:], New("ord") + "a"} {
		if Has(bad, "ord") {
			t.Errorf("Has(%q, ord) is true", bad)
		}
	}
}

func TestAResourceOfTheSamePartsIsTheSame(t *testing.T) {
	t.Parallel()
	a := ResourceOf("sslsrv", "acc_1", "key")
	if len(a) != len(Resource("sslsrv")) || a != ResourceOf("sslsrv", "acc_1", "key") {
		t.Errorf("got %q and %q", a, ResourceOf("sslsrv", "acc_1", "key"))
	}
	for _, other := range [][]string{{"acc_1", "kez"}, {"acc_1k", "ey"}, {"acc_1key"}} {
		if ResourceOf("sslsrv", other...) == a {
			t.Errorf("%q are the same resource", other)
		}
	}
}
