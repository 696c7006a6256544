package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/scan"
)

func (s *Store) query(ctx context.Context, operation string, in *dynamodb.QueryInput) (out *dynamodb.QueryOutput, err error) {
	in.ReturnConsumedCapacity = s.wantCapacity()
	_, err = s.attempt(ctx, operation, func(ctx context.Context) (err error) {
		out, err = s.client.Query(ctx, in)
		return err
	})
	if err == nil {
		s.consumedOne("Query", out.ConsumedCapacity)
	}
	return out, err
}

// queryEvents asks for events and reads them in one pass over the answer: the SDK makes a tree of
// it first, which takes several times as long. cut says that the page ended before the history.
func (s *Store) queryEvents(ctx context.Context, operation string, in *dynamodb.QueryInput) (events []es.Recorded, cut bool, err error) {
	in.ReturnConsumedCapacity = s.wantCapacity()
	var images []image
	_, err = s.attempt(ctx, operation, func(ctx context.Context) error {
		answer, err := s.client.exchange(ctx, opQuery, in)
		if err != nil {
			return err
		}
		if s.meter != nil {
			out := &dynamodb.QueryOutput{}
			if err := s.client.read(opQuery, answer, out); err != nil {
				return err
			}
			defer s.consumedOne("Query", out.ConsumedCapacity)
		}
		var ok bool
		if images, cut, ok = readImages(string(answer)); !ok {
			return errNoAnswer
		}
		return nil
	})
	if err != nil || len(images) == 0 {
		return nil, false, err
	}
	events = make([]es.Recorded, len(images))
	for i := range images {
		if events[i], err = images[i].stored(); err != nil {
			return nil, false, fmt.Errorf("event %d of %q: %w", images[i].version, images[i].id, err)
		}
	}
	return events, cut, nil
}

var errNoAnswer = errors.New("what came back is no answer to a query")

// readImages reads the items of an answer to a query. Their texts are pieces of it.
func readImages(answer string) (images []image, cut, ok bool) {
	s := scan.Scanner{Text: answer}
	m := s.Members()
	for m.Next() {
		switch {
		case m.Name == "Items" && s.Space() == '[':
			e := s.Elements()
			for e.Next() {
				i := image{}
				if !i.read(&s) {
					return nil, false, false
				}
				images = append(images, i)
			}
			ok = e.Whole()
		case m.Name == "LastEvaluatedKey":
			cut = s.Space() == '{'
			ok = s.Skip()
		default:
			ok = s.Skip()
		}
		if !ok {
			return nil, false, false
		}
	}
	return images, cut, m.Whole() && s.End()
}

// stored is the event of an item of the events table.
func (i *image) stored() (es.Recorded, error) {
	e, _, ok := i.event("")
	switch {
	case ok:
		return e, nil
	case i.foreign == "" && (i.format < 1 || i.format > eventFormat):
		return e, errFormat(i.format)
	}
	if i.foreign == "" {
		i.foreign = attrID
	}
	return e, errForeign(i.foreign)
}
