// Who lives in a seeded database: made up, but spread as people are.

/** Where the numbers of a country come from, and how many in a thousand users are from there. */
export const COUNTRIES = [
  // `digits` follow the prefix: all of them distinct, and mobile numbers of that country.
  {
    code: 'BR',
    share: 330,
    prefixes: ['+55119', '+55219', '+55319', '+55719', '+55819'],
    lowest: 60_000_000,
    span: 40_000_000,
  },
  {
    code: 'US',
    share: 200,
    prefixes: ['+1415', '+1212', '+1312', '+1305', '+1713'],
    lowest: 2_000_000,
    span: 8_000_000,
  },
  { code: 'IN', share: 170, prefixes: ['+9198', '+9199', '+9197'], lowest: 10_000_000, span: 90_000_000 },
  { code: 'MX', share: 70, prefixes: ['+5255', '+5233'], lowest: 10_000_000, span: 80_000_000 },
  { code: 'NG', share: 60, prefixes: ['+234803', '+234806'], lowest: 1_000_000, span: 9_000_000 },
  { code: 'GB', share: 50, prefixes: ['+4477'], lowest: 10_000_000, span: 80_000_000 },
  { code: 'FR', share: 50, prefixes: ['+336'], lowest: 10_000_000, span: 80_000_000 },
  { code: 'PT', share: 40, prefixes: ['+35191', '+35193', '+35196'], lowest: 1_000_000, span: 8_000_000 },
  { code: 'JP', share: 30, prefixes: ['+8190', '+8180'], lowest: 10_000_000, span: 80_000_000 },
];

/** Names, the most common ones first. */
export const NAMES = {
  BR: {
    first:
      'Maria José Ana João Antônio Francisco Carlos Paulo Pedro Lucas Luiz Marcos Luís Gabriel Rafael Daniel Marcelo Bruno Eduardo Felipe Juliana Márcia Fernanda Patrícia Aline Adriana Camila Amanda Bruna Jéssica Letícia Júlia Luciana Vanessa Mariana Beatriz Larissa Ângela Otávio Zoé',
    last: 'Silva Santos Oliveira Souza Rodrigues Ferreira Alves Pereira Lima Gomes Costa Ribeiro Martins Carvalho Almeida Lopes Soares Fernandes Vieira Barbosa Rocha Dias Nascimento Andrade Moreira Nunes Marques Machado Mendes Freitas Cardoso Ramos Gonçalves Araújo Teixeira Conceição',
  },
  US: {
    first:
      'James Mary Michael Patricia Robert Jennifer John Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Karen Christopher Sarah Daniel Emily Matthew Ashley Anthony Olivia Mark Sophia Steven Emma Andrew Mia Kevin Ava Zachary Zoe',
    last: "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson O'Brien Nguyen King Wright Hill Green",
  },
  IN: {
    first:
      'अमित प्रिया राहुल अंजलि Rahul Priya Amit Anjali Sanjay Pooja Rajesh Neha Vikram Sunita Arjun Kavita Rohan Divya Aditya Lakshmi Karthik Meera Suresh Ananya Manoj Ishaan Deepak Nisha',
    last: 'Kumar Singh Sharma Devi Gupta Patel Verma Yadav Das Reddy Khan Joshi Mehta Iyer Nair Rao Mishra Chauhan Bose Pillai शर्मा कुमार सिंह',
  },
  MX: {
    first:
      'José María Juan Guadalupe Luis Francisco Carlos Margarita Jesús Verónica Miguel Alejandra Jorge Leticia Pedro Ximena Iñaki Sofía Andrés Lucía',
    last: 'Hernández García Martínez López González Pérez Rodríguez Sánchez Ramírez Cruz Flores Gómez Morales Vázquez Jiménez Reyes Díaz Torres Gutiérrez Ruiz Mendoza Peña',
  },
  NG: {
    first:
      'Chinedu Ngozi Emeka Chioma Ibrahim Fatima Musa Aisha Oluwaseun Temitope Tunde Yewande Uche Amaka Babatunde Folake Sani Zainab',
    last: 'Okafor Adeyemi Okonkwo Bello Abubakar Eze Balogun Okoro Musa Ogunleye Nwosu Ibrahim Afolabi Chukwu Danjuma Olawale',
  },
  GB: {
    first:
      'Oliver Olivia George Amelia Arthur Isla Noah Ava Muhammad Mia Leo Ivy Oscar Lily Harry Isabella Archie Rosie Jack Sophia Siân Niamh',
    last: "Smith Jones Williams Taylor Davies Brown Evans Wilson Thomas Johnson Roberts Walker Wright Robinson Thompson White Hughes Edwards Green Hall Patel Begum Ali O'Connor Smythe-Jones",
  },
  FR: {
    first:
      'Jean Marie Pierre Nathalie Michel Isabelle Philippe Sylvie Alain Catherine Nicolas Camille Léa Élodie Chloé Théo Zoé François Anaïs Jérôme Gaëlle',
    last: 'Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefèvre Leroy Roux David Bertrand Morel Fournier Girard Gauthier Chevalier Noël',
  },
  PT: {
    first:
      'Maria João Ana José António Manuel Francisco Carlos Inês Rui Beatriz Tiago Catarina Nuno Mariana Gonçalo Leonor Duarte Matilde Luís',
    last: 'Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Jesus Sousa Fernandes Gonçalves Gomes Lopes Marques Alves Almeida Ribeiro Pinto Carvalho',
  },
  JP: {
    first: '陽翔 結愛 蓮 葵 大翔 凛 湊 陽葵 悠真 さくら Yuki Haruto Hina Sota Aoi Ren Mei Daiki Emi Kenji',
    last: '佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 Sato Suzuki Takahashi Tanaka Ito Watanabe Yamamoto Nakamura',
  },
};

/** Where they are: most live in the first city of their country, within some kilometres of its centre. */
export const CITIES = {
  BR: [
    ['São Paulo', -23.55, -46.63],
    ['Rio de Janeiro', -22.91, -43.2],
    ['Belo Horizonte', -19.92, -43.94],
    ['Salvador', -12.97, -38.5],
    ['Recife', -8.05, -34.88],
    ['Manaus', -3.12, -60.02],
  ],
  US: [
    ['New York', 40.71, -74.01],
    ['San Francisco', 37.77, -122.42],
    ['Chicago', 41.88, -87.63],
    ['Miami', 25.76, -80.19],
    ['Houston', 29.76, -95.37],
    ['Anchorage', 61.22, -149.9],
  ],
  IN: [
    ['Mumbai', 19.08, 72.88],
    ['Delhi', 28.61, 77.21],
    ['Bengaluru', 12.97, 77.59],
    ['Chennai', 13.08, 80.27],
  ],
  MX: [
    ['Ciudad de México', 19.43, -99.13],
    ['Guadalajara', 20.67, -103.35],
    ['Monterrey', 25.69, -100.32],
  ],
  NG: [
    ['Lagos', 6.52, 3.38],
    ['Abuja', 9.06, 7.49],
    ['Kano', 12.0, 8.52],
  ],
  GB: [
    ['London', 51.51, -0.13],
    ['Manchester', 53.48, -2.24],
    ['Glasgow', 55.86, -4.25],
  ],
  FR: [
    ['Paris', 48.86, 2.35],
    ['Lyon', 45.76, 4.84],
    ['Marseille', 43.3, 5.37],
    ['Papeete', -17.54, -149.57],
  ],
  PT: [
    ['Lisboa', 38.72, -9.14],
    ['Porto', 41.15, -8.61],
    ['Ponta Delgada', 37.74, -25.67],
  ],
  JP: [
    ['東京', 35.68, 139.69],
    ['大阪', 34.69, 135.5],
    ['Sapporo', 43.06, 141.35],
  ],
};

export const BIOS = [
  'Trail runner, bad at chess.',
  'New in town. Show me where the good coffee is!',
  'Samba on Fridays, long walks on Sundays.',
  'I take pictures of doors.',
  'Father of two, drummer of none.',
  'Engineer by day, improv by night.',
  'Always looking for people to play football with on Tuesday evenings; all levels are welcome, and so are dogs.',
  'Vegan since 2019\nAsk me about mushrooms.',
];
