package dynamo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/position"
)

// headsPosition is where a scan of the events' index stands, and the entity in whose midst
// that is.
type headsPosition struct {
	ID      string `json:"i"` // the key that the scan goes on after
	Version int64  `json:"v"`
	EventID string `json:"e"`
	Highest int64  `json:"h"` // version seen so far of that entity
}

// Heads implements es.EventStore: a parallel scan of the index by event id, which has no
// payloads. The entries of an entity stand together there, in one segment; an entity is
// returned when the scan has left it behind. One request a call.
func (s *Store) Heads(ctx context.Context, segment, segments int, cursor string) (heads []es.EntityHead, next string, err error) {
	if segments < 1 || segments > 1_000_000 || segment < 0 || segment >= segments {
		return nil, "", fmt.Errorf("dynamo: heads: no segment %d of %d; there are 1 to 1,000,000", segment, segments)
	}
	list := fmt.Appendf(nil, "heads %d/%d", segment, segments)
	in := &dynamodb.ScanInput{
		TableName: &s.tables.Events, IndexName: aws.String(byEvent), ConsistentRead: aws.Bool(true),
		Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(segments)),
	}
	var at headsPosition
	if cursor != "" {
		b, err := position.Open(list, cursor)
		if err != nil {
			return nil, "", err
		}
		if err := json.Unmarshal(b, &at); err != nil {
			return nil, "", fmt.Errorf("%w: %w", es.ErrCursor, err)
		}
		in.ExclusiveStartKey = item{attrID: text(at.ID), attrVersion: number(at.Version), attrEventID: text(at.EventID)}
	}
	out, err := s.scan(ctx, "scan the entities", in)
	if err != nil {
		return nil, "", err
	}
	current := es.EntityHead{EntityID: at.ID, Version: at.Highest}
	for _, entry := range out.Items {
		f := fields{item: entry}
		id, version := f.text(attrID), f.number(attrVersion)
		if f.err != nil {
			return nil, "", f.err
		}
		if id != current.EntityID && current.EntityID != "" {
			heads = append(heads, current)
			current = es.EntityHead{}
		}
		current = es.EntityHead{EntityID: id, Version: max(version, current.Version)}
	}
	if len(out.LastEvaluatedKey) == 0 {
		if current.EntityID != "" {
			heads = append(heads, current)
		}
		return heads, "", nil
	}
	f := fields{item: out.LastEvaluatedKey}
	at = headsPosition{ID: f.text(attrID), Version: f.number(attrVersion), EventID: f.text(attrEventID), Highest: current.Version}
	if f.err != nil {
		return nil, "", f.err
	}
	b, err := json.Marshal(at)
	if err != nil {
		return nil, "", err
	}
	return heads, position.Seal(list, b), nil
}

func (s *Store) scan(ctx context.Context, operation string, in *dynamodb.ScanInput) (out *dynamodb.ScanOutput, err error) {
	in.ReturnConsumedCapacity = s.wantCapacity()
	_, err = s.attempt(ctx, operation, func(ctx context.Context) (err error) {
		out, err = s.client.Scan(ctx, in)
		return err
	})
	if err == nil {
		s.consumedOne("Scan", out.ConsumedCapacity)
	}
	return out, err
}
