package app

import (
	"context"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// TestTheWholePathNeedsNothingThatIsOptional holds LT-1.2: a person registers,
// confirms the address, is verified, orders, pays and connects with telephone
// number, QQ number and place empty, and nothing looks for them.
func TestTheWholePathNeedsNothingThatIsOptional(t *testing.T) {
	t.Parallel()
	in := install(t)
	ctx := context.Background()
	p := in.customer("nothing-more", 8)
	if p.ids["ssl-clients"] == "" || p.ids["vpn-sessions"] == "" {
		t.Fatalf("the path did not reach its end: %v", p.ids)
	}
	for _, table := range append(contact.Tables(), "contact_code", "contact_asked") {
		n, err := db.Get(ctx, in.stores.main, nil, db.One[int64], "SELECT count(*) FROM "+table)
		if err != nil || n != 0 {
			t.Errorf("%s: %d rows, %v", table, n, err)
		}
	}
	if examined, _, err := in.modules.audit.ReadOtherwise(ctx, time.Time{}, contact.Tables(), contact.Serves); err != nil || examined != 0 {
		t.Errorf("%d readings, %v", examined, err)
	}
	own := p.do(200, "GET", "/me/optional-contact", nil)
	for _, field := range []string{"phone", "qq", "country", "province", "city"} {
		if got := own.str(field); got != "" {
			t.Errorf("%s is %q", field, got)
		}
	}
}
