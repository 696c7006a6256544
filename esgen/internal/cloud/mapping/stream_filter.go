package mapping

import (
	"fmt"
	"slices"
)

// streamPatterns reads the filters of a mapping of a stream. It refuses those that Lambda takes and
// that can never match a record: they would stop a projection without a word.
func streamPatterns(texts []string) ([]pattern, error) {
	if len(texts) > maxFilters {
		return nil, fmt.Errorf("%d filters: Lambda takes %d", len(texts), maxFilters)
	}
	var patterns []pattern
	for i, text := range texts {
		p, err := parsePattern(text)
		if err == nil {
			err = p.checkRecord()
		}
		if err != nil {
			return nil, fmt.Errorf("filter %d: %w", i+1, err)
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

var (
	recordMembers = []string{"eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "eventSourceARN", "userIdentity", "dynamodb"}
	imageMembers  = []string{"Keys", "NewImage", "OldImage"}
	changeMembers = append([]string{"ApproximateCreationDateTime", "SequenceNumber", "SizeBytes", "StreamViewType"}, imageMembers...)
	valueTypes    = []string{"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}
)

func (p pattern) checkRecord() error {
	return p.each(func(name string, f field) error {
		if !slices.Contains(recordMembers, name) {
			return fmt.Errorf("a record has no member %.40q", name)
		}
		if name == "dynamodb" && f.object != nil {
			return f.object.checkChange()
		}
		return nil
	})
}

func (p pattern) checkChange() error {
	return p.each(func(name string, f field) error {
		if !slices.Contains(changeMembers, name) {
			return fmt.Errorf("dynamodb has no member %.40q", name)
		}
		if !slices.Contains(imageMembers, name) {
			return nil
		}
		if f.object == nil {
			return fmt.Errorf("dynamodb.%s is an object: filter by its attributes", name)
		}
		return f.object.each(func(attribute string, f field) error {
			return f.checkValue("dynamodb." + name + "." + attribute)
		})
	})
}

// checkValue looks at the pattern of an attribute: {"S": ["text"]}.
func (f field) checkValue(path string) error {
	if f.object == nil {
		return fmt.Errorf("%s: an attribute is an object with its type, as {\"S\": [\"text\"]}", path)
	}
	return f.object.each(func(kind string, f field) error {
		if !slices.Contains(valueTypes, kind) {
			return fmt.Errorf("%s: DynamoDB has no type %.40q", path, kind)
		}
		if kind == "M" && f.object != nil {
			return f.object.each(func(attribute string, f field) error { return f.checkValue(path + ".M." + attribute) })
		}
		if kind == "L" && f.object != nil {
			return f.checkValue(path + ".L")
		}
		if slices.ContainsFunc(f.tests, func(t test) bool { return t.operator == "numeric" }) {
			return fmt.Errorf("%s: numbers of DynamoDB are strings in records; numeric never matches", path)
		}
		return nil
	})
}

// each visits the fields of the pattern and of its alternatives.
func (p pattern) each(visit func(name string, f field) error) error {
	for name, f := range p.fields {
		if err := visit(name, f); err != nil {
			return err
		}
	}
	for _, alternative := range p.or {
		if err := alternative.each(visit); err != nil {
			return err
		}
	}
	return nil
}
