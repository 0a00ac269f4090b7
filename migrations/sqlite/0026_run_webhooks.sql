-- The run that a message is about; absent when it is about a batch or about nothing.
ALTER TABLE deliveries ADD COLUMN run TEXT;
