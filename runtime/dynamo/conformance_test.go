package dynamo_test

import (
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamotest"
	"github.com/esgen/esgen/runtime/storetest"
)

// suiteTables are the tables that the suite writes to.
func suiteTables(shards int) dynamo.Tables {
	t := dynamo.Tables{Events: "events", Progress: "progress"}
	for _, v := range storetest.Tables {
		t.Views = append(t.Views, dynamo.ViewTable{
			View: v.Table.View, Revision: v.Table.Revision, Indexes: v.Indexes, Shards: shards,
			Name: dynamo.ViewTableName("", v.Table),
		})
	}
	return t
}

func TestConformance(t *testing.T) {
	dynamotest.Options(t) // one word that nothing can be run, not one for each case
	storetest.Run(t, func(t *testing.T) es.Stores {
		o := dynamotest.Options(t)
		o.Tables = suiteTables(3)
		return dynamotest.Open(t, o).Stores()
	})
}
