/** The address of the model file: `TextEmbedder.fromPretrained(model)`. */
declare const model: URL;
export = model;
