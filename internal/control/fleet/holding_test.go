package fleet_test

import (
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, fleet.Migrations()).Schema(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := holding.Verify(fleet.Holdings(), live); err != nil {
		t.Error(err)
	}
}
