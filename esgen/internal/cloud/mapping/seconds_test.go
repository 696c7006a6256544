package mapping_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/esgen/esgen/esgen/internal/cloud/mapping"
)

// oneRecord is a stream of one record, read again and again.
type oneRecord struct {
	mapping.Streams
	created time.Time
}

func (s oneRecord) GetRecords(context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	return &dynamodbstreams.GetRecordsOutput{Records: []types.Record{{
		EventID: aws.String("e"), Dynamodb: &types.StreamRecord{ApproximateCreationDateTime: &s.created},
	}}}, nil
}

func TestInSeconds(t *testing.T) {
	minute := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	for _, c := range []struct {
		what                 string
		created, first, want time.Time
	}{
		{"seen within its minute", minute, minute.Add(41*time.Second + 300*time.Millisecond), minute.Add(41 * time.Second)},
		{"seen later", minute, minute.Add(time.Minute), minute},
		{"with a second of its own", minute.Add(7 * time.Second), minute.Add(9 * time.Second), minute.Add(7 * time.Second)},
		{"from the future", minute, minute.Add(-time.Second), minute},
	} {
		now := c.first
		s := mapping.InSeconds(oneRecord{created: c.created}, func() time.Time { return now })
		for range 2 { // read again later it is the same
			out, err := s.GetRecords(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := *out.Records[0].Dynamodb.ApproximateCreationDateTime; !got.Equal(c.want) {
				t.Errorf("%s: %v, want %v", c.what, got, c.want)
			}
			now = now.Add(5 * time.Second)
		}
	}
}
