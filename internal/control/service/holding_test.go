package service_test

import (
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, service.Migrations()).Schema(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := holding.Verify(service.Holdings(), live); err != nil {
		t.Error(err)
	}
}
